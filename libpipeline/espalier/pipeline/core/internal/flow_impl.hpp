#pragma once

#include "espalier/pipeline/core/flow.hpp"
#include "espalier/pipeline/core/internal/chunk_pool.hpp"
#include "espalier/pipeline/core/internal/item_name.hpp"
#include "espalier/pipeline/core/internal/node.hpp"
#include "espalier/pipeline/core/internal/outputs.hpp"
#include "espalier/pipeline/core/internal/plan_graph.hpp"
#include "espalier/pipeline/core/internal/retry_heap.hpp"
#include "espalier/pipeline/core/internal/seq_window.hpp"
#include "espalier/supervisor/core/backoff.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// The state of a Flow. Its parts live in files of their own:
///   flow.cpp          the public face; what is built from the plan
///   flow_feed.cpp     items come in, and arrive at a stage
///   flow_claim.cpp    which batch is next
///   flow_finish.cpp   a batch comes back: the fast way, and item by item
///   flow_parts.cpp    one item becomes several, or several one
///   flow_retry.cpp    an attempt has failed: again, or not
///   flow_end.cpp      an item ends; what that means for the fed item it came of
///   flow_time.cpp     what happens because time passes
///   flow_control.cpp  cancel, abort, resize, reset
///   flow_watch.cpp    events and snapshots
class Flow::Impl {
 public:
  explicit Impl(Plan plan);

  ChunkPool& pool() { return pool_; }
  [[nodiscard]] std::size_t room(NodeId node) const;
  [[nodiscard]] bool wants_items(NodeId node) const;
  ChunkPtr accept(NodeId node, ChunkPtr chunk, TimePoint now);
  void close_input();
  [[nodiscard]] bool input_closed() const { return closed_; }
  [[nodiscard]] ItemSeq next_seq() const { return next_seq_; }

  std::optional<Work> claim(TimePoint now, Duration longest);
  [[nodiscard]] Duration item_time(NodeId id) const { return nodes_[id]->item_time(); }
  std::optional<Work> finish(const Work& work, TimePoint now);
  bool has_work(TimePoint now, Duration longest);
  bool wants_more_hands(std::size_t active, std::size_t processors, TimePoint now);

  std::optional<TimePoint> next_deadline();
  void advance(TimePoint now, std::vector<std::uint64_t>& expired);

  ChunkPtr take_outputs();
  void unbind_outputs() { outputs_.unbind(); }
  void tell_ends(bool on) { outputs_.tell_ends(on); }
  ChunkPtr take_ended() { return outputs_.tells_ends() ? outputs_.take() : nullptr; }
  std::vector<Untold> take_untold() { return std::exchange(untold_, {}); }
  void told(std::vector<Untold> items);
  [[nodiscard]] bool has_news() const {
    return !untold_.empty() || (outputs_.tells_ends() && outputs_.waiting() > 0);
  }
  void cancel(const std::string& reason, TimePoint now);
  void abort(const std::string& reason, TimePoint now, std::vector<std::uint64_t>& running);
  bool resize(NodeId node, std::uint32_t workers, TimePoint now);
  void reset();

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] std::optional<NodeId> find(const std::string& stage) const;
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] PipelineSnapshot snapshot(TimePoint now) const;
  void watch(bool on);
  void take_events(std::vector<TrackEvent>& into);

 private:
  /// A batch in work.
  struct Job {
    std::uint64_t id = 0;  ///< Zero: this place is free.
    std::uint64_t run = 0;
    NodeId node = 0;
    std::uint32_t worker = 0;
    ChunkPtr chunk = {};
    std::size_t places = 0;  ///< Reserved at each target, times its weight.
    TimePoint started = {};
    TimePoint deadline = never;
    std::uint64_t ticket = 0;   ///< Of the breaker.
    std::uint16_t attempt = 0;  ///< Finished ones of its first item when it began.
    bool late = false;          ///< Its items have ended already.
  };
  /// What may be claimed.
  struct Pick {
    Node* node = nullptr;
    std::size_t count = 0;
    ChunkPtr chunk = {};  ///< One item for which others wait, taken out already.
  };
  /// Items that were fed at the same moment.
  struct Fed {
    TimePoint deadline = {};
    ItemSeq end = 0;
  };

  static constexpr TimePoint never = TimePoint::max();

  // --- flow.cpp
  void connect();
  void connect_keys();
  void limits();
  void tick(TimePoint now) { now_ = std::max(now_, now); }
  /// After each change: what was in the way may be gone.
  void settle();

  // --- flow_feed.cpp
  void number(Node& node, std::vector<Item>& items);
  void arrive(Node& node, ChunkPtr chunk);
  void arrive_one_by_one(Node& node, ChunkPtr chunk);
  void enqueue(Node& node, ChunkPtr chunk);
  void release_in_order(Node& node);
  void close_gap(NodeId ordered, ItemSeq seq, std::uint64_t count);
  void pass_gate(Node& node, Item item);
  [[nodiscard]] std::optional<Item> longest_waiting(Node& node);
  void drop_oldest(Node& node);

  // --- flow_claim.cpp
  [[nodiscard]] std::size_t claimable(Node& node);
  [[nodiscard]] std::size_t most_of_a_piece(const Node& node, std::size_t count) const;
  [[nodiscard]] std::size_t limit_now(Node& node, std::size_t available);
  [[nodiscard]] std::size_t room_behind(const Node& node) const;
  [[nodiscard]] std::size_t room_worth_a_claim(const Node& node, std::size_t wanted) const;
  [[nodiscard]] std::size_t room_at(NodeId target) const;
  [[nodiscard]] std::size_t room_of(const Node& node) const;
  [[nodiscard]] Pick pick(Duration longest = Duration::max());
  [[nodiscard]] bool is_missing(const Node& node, ItemSeq seq) const;
  [[nodiscard]] Pick pick_missing(bool look_only);
  [[nodiscard]] bool pick_item(ItemSeq seq, bool look_only, Pick& found);
  [[nodiscard]] bool no_more_comes(const Node& node) const;
  Work begin(Node& node, ChunkPtr chunk, std::size_t places);
  ChunkPtr take_unit(Node& node);
  void reserve(const Node& node, std::size_t places);
  void unreserve(const Node& node, std::size_t places);
  Job& new_job();
  [[nodiscard]] Job* find_job(std::uint64_t id);
  [[nodiscard]] const Job* find_job(std::uint64_t id) const;

  // --- flow_finish.cpp
  struct Seen {
    bool clean = true;     ///< All passed through port 0.
    bool in_a_row = true;  ///< Their seqs are neighbours.
    bool worn = false;     ///< One carries what belongs to this stage only.
    bool company = false;  ///< One shares its fed item with other parts.
    std::size_t passed_through = 0;
  };
  Seen look(std::vector<Item>& items) const;
  void discard(Job& job);
  void free_job(Job& job);
  std::optional<Work> finish_clean(Node& node, const Job& job, ChunkPtr chunk, const Seen& seen);
  [[nodiscard]] bool can_run_on(Node& node, const Chunk& chunk, bool in_a_row);
  void finish_each(Node& node, const Job& job, ChunkPtr chunk);
  void settle_one(Node& node, const Job& job, Item item);
  void refresh_but_port(Item& item);
  void pass_on(Node& node, Item item);
  void flush_out(Node& node);
  void leave(Node& node, const Item& item);
  void moved(const Node& node, std::size_t port, ItemSeq first, std::uint64_t count);

  // --- flow_parts.cpp
  void expand(Node& node, Item item);
  void spread(Node& node, Item item);
  void send_part(Node& node, std::size_t port, Item part, bool has_place);
  void combine(Chunk& chunk);
  void unspill();

  // --- flow_retry.cpp
  void failed_attempt(Node& node, const Job& job, Item item);
  [[nodiscard]] bool worth_retry(Node& node, const Job& job, Item& item, Duration delay);
  [[nodiscard]] Duration delay_before(const Node& node, const Item& item);
  void ask_again(Node& node, const Job& job, Item item);
  void give_up(Node& node, Item item);
  [[nodiscard]] TimePoint same_for_all(std::uint64_t job, TimePoint due);
  void wait_for_retry(Node& node, const Job& job, Item item, TimePoint due);
  void forget_first_attempt(const Node& node, const Item& item);
  void refuse_queue(Node& node);

  // --- flow_end.cpp
  void end_item(Item item, Outcome outcome, const Node& where);
  void end_clean(ChunkPtr chunk, const Node& where, const Seen& seen);
  void end_failed(Item item, std::unique_ptr<Failure> failure, Outcome outcome, const Node& where);
  void end_silently(const Item& item, const Node& where);
  void hand_out(Item item);
  void close_part(ItemSeq seq, const std::shared_ptr<ItemInfo>& info, Outcome outcome,
                  const Failure* why, bool is_handed_out);
  void note_ended(ItemSeq seq, const std::shared_ptr<ItemInfo>& info, Outcome outcome,
                  const Failure* why);
  void ended(ItemSeq seq, Outcome outcome);
  void close_gaps(const Node& where, ItemSeq seq, std::uint64_t count);

  // --- flow_time.cpp
  [[nodiscard]] TimePoint next_attempt_over(Node& node);
  void retries_due();
  void attempts_over(std::vector<std::uint64_t>& expired);
  void items_over(std::vector<std::uint64_t>& expired);
  void end_job(Job& job, Failure::Kind kind, const std::string& why, Outcome outcome);
  void adapt(Node& node);
  void sweep(const std::function<bool(const Item&)>& wanted,
             const std::function<void(Item, Node&)>& taken);
  void sweep_held(Node& node, const std::function<bool(const Item&)>& wanted,
                  const std::function<void(Item)>& keep);
  [[nodiscard]] bool out_of_time(ItemSeq seq) const { return seq < expired_before_; }
  void gather_rest();

  // --- flow_watch.cpp
  void note(Status status, NodeId node, std::span<const Item> items, std::uint32_t worker,
            Duration took = {});
  void note_passed(const Node& node, const Job& job, std::span<const Item> items);
  void note_end(const Item& item, Outcome outcome, const Node& where);
  void note_failure(Status status, NodeId node, const Item& item, const Failure* failure,
                    std::uint32_t worker);
  [[nodiscard]] StageStats stage_stats(const Node& node, TimePoint now) const;

  Plan plan_;
  PlanGraph graph_;
  ChunkPool pool_ = {};
  std::vector<std::unique_ptr<Node>> nodes_ = {};
  std::vector<Node*> order_ = {};     ///< From the end to the beginning.
  std::vector<NodeId> ordered_ = {};  ///< Stages with Order::input.
  std::map<std::string, std::unique_ptr<RateLimiter>> rates_ = {};
  Outputs outputs_;
  std::vector<Untold> untold_ = {};
  bool has_gather_ = false;
  bool tracks_oldest_ = false;  ///< For deadlines of items.
  bool has_order_ = false;

  TimePoint now_ = {};
  std::uint64_t run_ = 1;
  ItemSeq next_seq_ = 0;
  Counts counts_ = {};
  SeqWindow window_ = {};
  bool closed_ = false;
  bool cancelled_ = false;
  std::string reason_ = {};

  std::vector<Job> jobs_ = {};
  std::vector<std::size_t> free_jobs_ = {};
  std::uint64_t jobs_begun_ = 0;
  std::size_t in_work_ = 0;         ///< Jobs that are not late.
  std::vector<ChunkPtr> out_ = {};  ///< By port: what a finish sends on.

  RetryHeap retries_ = {};
  supervisor::RandomSource random_;
  /// When the first attempt at the stage began, of items that have failed there.
  std::map<std::pair<NodeId, ItemName>, TimePoint> first_attempts_ = {};
  Ring<Fed> fed_ = {};
  ItemSeq expired_before_ = 0;
  std::uint64_t group_ = 0;  ///< The batch that failed last, and when it is tried again.
  TimePoint group_due_ = {};
  std::size_t spilling_ = 0;  ///< Nodes with something spilled.

  bool watching_ = false;
  std::vector<TrackEvent> events_ = {};
};

}  // namespace espalier::pipeline
