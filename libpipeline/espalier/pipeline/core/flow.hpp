#pragma once

#include "espalier/pipeline/core/counts.hpp"
#include "espalier/pipeline/core/plan.hpp"
#include "espalier/pipeline/core/track_event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// A batch that a worker has been given. The Flow owns the items; until `finish` only the worker
/// touches their value, failure, verdict, port, attempt and task, and nobody changes the rest.
struct Work {
  std::uint64_t id = 0;
  NodeId node = 0;
  std::uint32_t worker = 0;  ///< Of the stage, from 0.
  Chunk* chunk = nullptr;
  TimePoint started = {};
};

/// Decides where every item of a pipeline goes: queues, credit, order, retries, limits, breakers,
/// deadlines, outcomes. Pure: no thread, no clock, no I/O; `now` must not go backwards.
///
/// Not thread-safe: the Runner holds one lock for a call, and calls once for a batch, so that the
/// lock costs little per item. Claim, run the kernel without the lock, finish.
///
/// Promises, at every moment:
/// - every accepted item ends exactly once (Counts);
/// - items at a stage never exceed its capacity, but for one for which an ordered stage (or the
///   ordered output) waits, and those of its key before it, at most as many as the stages by key
///   hold: they may always move on, so nothing waits in a circle. Parts of an
///   expansion that find no room wait where they were made, which takes no more meanwhile;
/// - at most `output_capacity` results with a value wait to be taken, counted with those in work
///   before them; and when as many wait that have none, nothing more is begun or accepted.
///
/// Cost: O(stages) per batch, O(1) per item; no allocation per item in steady state.
/// Precondition of the constructor: check(plan) found nothing.
class Flow {
 public:
  explicit Flow(Plan plan);
  ~Flow();
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  // --- Feeding.

  /// An empty chunk, used before if possible. Give it back with `accept` or `recycle`.
  [[nodiscard]] ChunkPtr new_chunk();
  void recycle(ChunkPtr chunk);
  /// How many items the node takes now. Zero after `close_input`, `cancel`, `abort`.
  [[nodiscard]] std::size_t room(NodeId node) const;
  /// Whether there is room that is worth a thread's trouble: for half of what the stage holds, or
  /// hardly an item waits there.
  [[nodiscard]] bool wants_items(NodeId node) const;
  /// Feeds the items: gives each its sequence number, in order. With Overflow::block the caller
  /// keeps within `room`; what is above is refused all the same, and left in the chunk that is
  /// returned (null: all taken). With reject, those are counted as rejected; with drop_oldest all
  /// are taken and as many of the longest waiting end as cancelled.
  [[nodiscard]] ChunkPtr accept(NodeId node, ChunkPtr chunk, TimePoint now);
  /// Nothing more will be fed.
  void close_input();
  [[nodiscard]] bool input_closed() const;
  /// Fed so far, in this run: the sequence number of the next item.
  [[nodiscard]] ItemSeq next_seq() const;

  // --- Working.

  /// The most useful batch there is now: of the stage nearest to the end that has items, a worker,
  /// room behind it and leave from its limits. Async nodes: one item. Not of stages whose items
  /// take longer than `longest` (see item_time), or of which that is not known.
  [[nodiscard]] std::optional<Work> claim(TimePoint now, Duration longest = Duration::max());
  /// What an item takes at the stage, on the average of late; zero: not known yet.
  [[nodiscard]] Duration item_time(NodeId node) const;
  /// Gives the batch back. If the same worker can go on with it at once at the next stage, that is
  /// the next work (it keeps the batch in its cache, and asks for nothing).
  std::optional<Work> finish(const Work& work, TimePoint now);
  /// True: `claim`, with the same `longest`, would give something.
  [[nodiscard]] bool has_work(TimePoint now, Duration longest = Duration::max());
  /// Whether another thread would help, when so many are at work: there is work, and either there
  /// are fewer than `processors`, or its items take so long that a switch costs nothing.
  [[nodiscard]] bool wants_more_hands(std::size_t active, std::size_t processors, TimePoint now);

  // --- Time.

  /// When `advance` should be called next, at the latest.
  [[nodiscard]] std::optional<TimePoint> next_deadline();
  /// Retries that are due, batches whose time is over, deadlines, limits, adaptive steps. The works
  /// whose attempt has run out of time are added to `expired`: request their stop.
  void advance(TimePoint now, std::vector<std::uint64_t>& expired);

  // --- Results.

  /// Items that have ended, in output order, at most chunk_limit; null: none yet. The verdict says
  /// how: pass = succeeded, skip, fail = failed or cancelled (failure->kind). With
  /// keep_results == false there are none. Give the chunk back with `recycle`.
  [[nodiscard]] ChunkPtr take_outputs();
  /// Until `reset`, results may wait in any number. For the end: what is in flight can always come
  /// to its end then, and is bounded by the capacities of the stages. Precondition: input is
  /// closed.
  void unbind_outputs();
  /// With keep_results == false: from now on every fed item that ends is kept for `take_ended`,
  /// once, when its last part has ended. Without effect where results are kept.
  void tell_ends(bool on);
  /// Fed items that have ended, with a verdict as above; the failure of one that was combined with
  /// others, or taken apart, comes without its input. Null: none now.
  [[nodiscard]] ChunkPtr take_ended();
  /// An item that has failed or was cancelled at a node with `on_failure`.
  struct Untold {
    NodeId node = 0;
    Item item = {};
  };
  /// Those whose `on_failure` is to be called now. They have ended, but are no results before they
  /// were given back by `told`.
  [[nodiscard]] std::vector<Untold> take_untold();
  void told(std::vector<Untold> items);
  /// `take_ended` or `take_untold` would give something.
  [[nodiscard]] bool has_news() const;
  /// Nothing is in flight; when input is closed, nothing will ever be again.
  [[nodiscard]] bool idle() const;

  // --- Control.

  /// Everything that is not in work ends as cancelled, `reason` in its failure; what is in work
  /// ends as it ends, where it is, and does not go on to another stage. Input is closed.
  void cancel(const std::string& reason, TimePoint now);
  /// As cancel, and what is in work ends as cancelled now; its late answer is thrown away. The ids
  /// of those works are added to `running`: request their stop.
  void abort(const std::string& reason, TimePoint now, std::vector<std::uint64_t>& running);
  /// More or fewer workers from now on; busy ones finish first. False: workers is 0.
  [[nodiscard]] bool resize(NodeId node, std::uint32_t workers, TimePoint now);
  /// Takes input again, with sequence numbers and counts from zero. Precondition: idle().
  void reset();

  // --- Watching.

  [[nodiscard]] const Plan& plan() const;
  [[nodiscard]] std::optional<NodeId> find(const std::string& stage) const;
  [[nodiscard]] const Counts& counts() const;
  /// O(stages + workers).
  [[nodiscard]] PipelineSnapshot snapshot(TimePoint now) const;
  /// From now on events are kept for `take_events` (the Runner does so while somebody tracks).
  void watch(bool on);
  /// Those since the last call, in order; `into` is cleared first and its memory used again.
  void take_events(std::vector<TrackEvent>& into);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::pipeline
