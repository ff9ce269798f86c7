#pragma once

#include "espalier/pipeline/run/internal/async_lane.hpp"
#include "espalier/pipeline/run/internal/event_outlet.hpp"
#include "espalier/pipeline/run/internal/source_set.hpp"
#include "espalier/pipeline/run/internal/spinning_mutex.hpp"
#include "espalier/pipeline/run/internal/work_context.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace espalier::pipeline::internal {

using Deadline = std::optional<TimePoint>;

/// What is behind a Runner: threads ("hands") around one lock and the Flow.
///
/// Every hold of the lock ends with `tidy`, which looks who waits for what has changed (takers,
/// feeders, drains), calls a hand if one more is worth its price, and sees that somebody wakes up
/// for the next deadline. So nobody has to remember to notify anybody. What users wrote (kernels,
/// sources, sinks, stop callbacks) is called without the lock.
///
/// One waiting hand, the keeper, waits with a time-out; all others, and all hands while there is no
/// deadline, wait for a call only.
class Crew {
 public:
  Crew(Plan plan, RunnerOptions options);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  bool start(Runner::Caller caller);
  [[nodiscard]] bool running() const;

  Runner::FeedResult feed(NodeId node, std::vector<Item> items, Deadline deadline);
  void feed_from(NodeId node, Source source);
  void wait_for_sources();
  [[nodiscard]] std::exception_ptr input_error() const;
  void close_input();
  void close_input_after_sources();

  [[nodiscard]] ChunkPtr take(Deadline deadline);
  [[nodiscard]] ChunkPtr try_take();
  void recycle(ChunkPtr chunk);
  [[nodiscard]] ChunkPtr help_and_take();
  void helper_comes();
  void helper_goes(bool took);

  bool drain(Deadline deadline);
  bool wait_idle(Deadline deadline);
  void cancel(const std::string& reason);
  void abort(const std::string& reason);
  bool stop(Deadline deadline);

  bool resize(const std::string& stage, std::uint32_t workers);
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] PipelineSnapshot snapshot() const;
  [[nodiscard]] const Plan& plan() const { return flow_.plan(); }
  [[nodiscard]] std::optional<NodeId> find(const std::string& stage) const;
  void track(std::shared_ptr<TrackSink> sink);
  void keep_safe_with(std::shared_ptr<ProgressSink> sink);
  [[nodiscard]] std::size_t threads() const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  /// A thread of our own. Stays until `stop`, so that it can always be called.
  struct Hand {
    std::thread thread = {};
    std::condition_variable call = {};
    bool called = false;
    bool gone = false;        ///< A task ended its thread.
    Deadline called_at = {};  ///< Since when it works, if it was called.
  };
  struct Taker {
    std::condition_variable call = {};
    ChunkPtr chunk = {};
    bool answered = false;
    bool helps = false;   ///< Can be called to work, ...
    bool called = false;  ///< ... and was.
  };
  struct Feeder {
    NodeId node = 0;
    std::int32_t priority = 0;
    std::condition_variable call = {};
    bool called = false;
  };
  struct Waiter {
    std::function<bool()> ready = {};
    std::condition_variable call = {};
  };
  /// Claimed, and not begun: what a thread could not go on with.
  struct ReadyWork {
    Work work = {};
    bool stop = false;
  };
  class Burial;
  class LastWords;

  // crew.cpp: the end of a lock hold, and what it looks after.
  void read_clock(TimePoint now);
  void read_clock();
  Deadline tick();
  void settle();
  bool tidy(Lock& lock);
  void leave(Lock& lock);
  [[nodiscard]] bool has_errands();
  void do_errands(Lock& lock);
  void serve_takers();
  void serve_feeders();
  void serve_waiters();
  void request_stops(std::vector<std::uint64_t>& works);
  /// There will be no results any more but those that can be taken now.
  [[nodiscard]] bool over() const;
  [[nodiscard]] bool told_all() const {
    return (events_.quiet() || events_.delivered_here()) && telling_ == 0 && !flow_.has_news();
  }
  [[nodiscard]] bool on_own_thread() const;

  // crew_hands.cpp: threads.
  void call_hand();
  [[nodiscard]] bool call_helper();
  [[nodiscard]] std::size_t at_work() const;
  [[nodiscard]] bool may_work();
  [[nodiscard]] bool may_pull() const;
  [[nodiscard]] bool sources_ready() const;
  [[nodiscard]] bool wants_hand();
  [[nodiscard]] bool has_leftovers();
  void set_keeper(Deadline until);
  [[nodiscard]] bool company_pays() const;
  [[nodiscard]] bool stalled() const;
  void spawn();
  void answer_call(Hand& hand);
  void hand_main(Hand& hand);
  [[nodiscard]] bool may_go_on();
  void park(Lock& lock, Hand& hand);
  void end_hands(Lock& lock);

  // crew_work.cpp: works.
  [[nodiscard]] bool round(Lock& lock, WorkContext& context, bool own);
  [[nodiscard]] SourceSet::Entry* source_to_pull_ahead();
  [[nodiscard]] Duration longest_item(bool own) const;
  [[nodiscard]] bool is_short(const Work& work, Duration longest) const;
  [[nodiscard]] std::optional<ReadyWork> next_work(bool own);
  [[nodiscard]] std::optional<Work> claim_until_sync(Duration longest);
  void work_on(Lock& lock, WorkContext& context, ReadyWork first, bool own);
  void leave_kernels(bool own);
  std::optional<Work> run(Lock& lock, WorkContext& context, const ReadyWork& ready, bool own);
  void enter_work(WorkContext& context, const Work& work);
  std::optional<Work> finish(WorkContext& context);
  void start_async(const Work& work);
  void collected(std::span<AsyncItem* const> done);
  [[nodiscard]] bool is_async(const Work& work) const;
  [[nodiscard]] bool has_room(NodeId node) const { return flow_.room(node) > 0; }
  void pull(Lock& lock, SourceSet::Entry& source);
  [[nodiscard]] std::exception_ptr pull_outside(Lock& lock, SourceSet::Entry& source, Chunk& chunk,
                                                std::size_t most);
  void give(Lock& lock, SourceSet::Entry& source, ChunkPtr chunk);
  void fetch(SourceSet::Entry& source);
  void end_pull(SourceSet::Entry& source);

  // crew_calls.cpp: feeding, taking, waiting.
  using Items = std::vector<Item>::iterator;
  void feed_some(Lock& lock, NodeId node, Items& next, Items end, Runner::FeedResult& result);
  /// `first` becomes the number of its first item.
  [[nodiscard]] ChunkPtr accept(Lock& lock, NodeId node, ChunkPtr chunk, ItemSeq& first);
  [[nodiscard]] ChunkPtr wait_as_helper(Lock& lock);
  [[nodiscard]] std::optional<Runner::Fed> wait_for_room(Lock& lock, NodeId node,
                                                         std::int32_t priority, Deadline deadline);
  bool wait_until(Lock& lock, std::function<bool()> ready, Deadline deadline);
  [[nodiscard]] bool closed() const { return !running_ || flow_.input_closed(); }

  // crew_progress.cpp: telling the ProgressSink, without the lock.
  [[nodiscard]] std::exception_ptr tell_accepted(NodeId node, const Chunk& chunk, ItemSeq first);
  void tell_moved(const Work& work);
  void tell_ended(const ChunkPtr& chunk);
  void tell_failed(const std::vector<Flow::Untold>& items);
  void tell_refused(Chunk& chunk, ItemSeq first);

  const RunnerOptions options_;
  const std::size_t processors_;
  const bool blocks_;  ///< Overflow::block.

  mutable SpinningMutex mutex_;
  Flow flow_;
  WorkTables tables_;
  EventOutlet events_;
  std::shared_ptr<ProgressSink> progress_;
  std::size_t telling_ = 0;  ///< Threads that tell what has ended.
  bool accepting_ = false;   ///< Somebody is in ProgressSink::accepted.
  TimePoint now_ = {};       ///< Never goes back, whichever thread has read the clock.

  bool running_ = false;
  bool used_ = false;    ///< Has been started before.
  bool ending_ = false;  ///< Hands are to leave.
  bool joining_ = false;
  Runner::Caller caller_ = Runner::Caller::waits;
  bool helper_here_ = false;   ///< A caller works along, ...
  bool helper_away_ = false;   ///< ... or will be back at once.
  bool helper_works_ = false;  ///< It is in a kernel.
  TimePoint helper_left_ = {};
  Duration helper_pause_ = {};  ///< So long it was away, on the average of late.

  SourceSet sources_;
  bool close_after_sources_ = false;
  std::exception_ptr input_error_;

  std::vector<std::unique_ptr<Hand>> hands_;
  std::vector<Hand*> idle_;  ///< Without the keeper; the last one is called first.
  Hand* keeper_ = nullptr;
  Deadline keeper_until_;
  std::vector<std::thread> fallen_;     ///< Threads that tasks have ended, to be joined.
  std::vector<std::uint32_t> workers_;  ///< Per stage.
  std::size_t limit_ = 1;               ///< Most hands at work.
  std::size_t called_ = 0;              ///< Hands that were called and are not here yet.
  std::size_t own_busy_ = 0;            ///< Hands in kernels.
  std::size_t pulling_ = 0;             ///< Hands and helpers in sources, which may block.
  bool pulling_quickly_ = false;        ///< One of them in a source that never kept us waiting.
  TimePoint pull_began_ = {};
  std::size_t active_ = 0;    ///< Hands and helpers in kernels.
  std::uint64_t rounds_ = 0;  ///< Works that came back.
  std::uint64_t rounds_watched_ = 0;
  bool stalled_ = false;        ///< Nothing had moved when the keeper looked last.
  Duration average_work_ = {};  ///< Of late.
  TimePoint no_call_before_ = {};
  Duration call_gap_ = {};

  std::size_t outstanding_ = 0;  ///< Works and pulls under way.
  std::deque<ReadyWork> ready_;
  std::vector<WorkContext*> at_work_;
  std::vector<std::unique_ptr<WorkContext>> spare_contexts_;  ///< For callers that help.
  std::vector<std::uint64_t> expired_;

  std::vector<std::stop_source> stops_;  ///< To be requested.
  std::vector<AsyncItem*> for_lane_;     ///< To be started.
  std::deque<AsyncItem> async_items_;
  std::vector<AsyncItem*> spare_async_;
  std::unique_ptr<AsyncLane> lane_;

  std::deque<Taker*> takers_;
  std::vector<Feeder*> feeders_;  ///< By priority, then as they came.
  std::vector<Waiter*> waiters_;
};

}  // namespace espalier::pipeline::internal
