#pragma once

#include "espalier/pipeline/core/flow.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// Where items come from: called by one thread at a time, whenever the first stage has room.
/// Appends up to `most` items (value, priority, info) to the chunk; false: there are no more ever.
/// May block; then what it has given in this call waits with it, so one that may block long gives
/// one item a call. What it throws ends the input; `Runner::input_error` has it.
using Source = std::function<bool(Chunk& chunk, std::size_t most)>;

/// Who is told what happens to items. Called without the Runner's lock, one batch after the other,
/// on the thread that made it happen; must return soon and not throw (what it throws is counted
/// and dropped). StatusTracker is one.
class TrackSink {
 public:
  virtual ~TrackSink() = default;
  /// Before the first events of a run: sequence numbers begin at zero, and these are the names of
  /// the nodes. Called by Runner::start, and by Runner::track of a Runner that runs already, with
  /// the Runner's lock held: it must not call the Runner.
  virtual void on_start(const Plan& /*plan*/) {}
  virtual void on_events(const std::vector<TrackEvent>& events) = 0;
  /// False: only statuses are of interest, which saves two calls for every task of every item.
  /// Asked when a run begins, and again from time to time; with the Runner's lock held.
  [[nodiscard]] virtual bool wants_tasks() const { return true; }
};

/// Who keeps items safe over a crash (durable/). Called without the lock, on several threads at a
/// time; must return soon. `accepted` returns when the items are safe, so that a source may be
/// told.
///
/// `ended` is called once for every item. Where results are kept: for every result, when it is
/// taken; what was taken apart or combined may have several, or share one. With keep_results ==
/// false: for every fed item, when its last part has ended, before `drain` returns; the failure of
/// one that was taken apart or combined comes without its input.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void accepted(NodeId node, const std::vector<Item>& items, ItemSeq first) = 0;
  virtual void moved(NodeId node, const Item& item) = 0;
  virtual void ended(const Item& item, Outcome outcome) = 0;
};

struct RunnerOptions {
  /// Most threads; zero: as many as the stages have workers together. They begin when there is
  /// work for them and none is idle.
  std::size_t threads = 0;
  std::string thread_name = "pipeline";
};

/// Runs a Flow on threads: its own ones, those that call `help`, and an Asio thread for coroutines.
/// No thread polls; an idle Runner uses no processor time. All members may be called from any
/// thread. The destructor aborts, requests stops, and waits for the tasks that still run.
class Runner {
 public:
  Runner(Plan plan, RunnerOptions options);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Whether whoever takes the results works along, by `help_and_take`.
  enum class Caller : std::uint8_t {
    waits,
    /// It does nothing else, as in `run`: a thread is made only when it brings something beside
    /// the caller, for a short run never.
    helps,
    /// It has other things to do, as in `stream`: it works along only at stages whose items take
    /// 50 us or less, on the average of late, and pulls no sources, which may block.
    helps_with_quick,
  };
  /// Lets threads work. False: running already. Costs no thread by itself.
  bool start(Caller caller = Caller::waits);
  [[nodiscard]] bool running() const;

  // --- Feeding.

  enum class Fed : std::uint8_t {
    accepted,
    rejected,   ///< Overflow::reject, and the stage is full.
    closed,     ///< Input is closed, or the Runner is not started.
    timed_out,  ///< Overflow::block, and there was no room in time.
  };
  struct FeedResult {
    Fed fed = Fed::accepted;
    ItemSeq first = 0;      ///< Sequence number of the first accepted one.
    std::size_t count = 0;  ///< Accepted; they are the first ones of those given.
  };
  /// Waits for room as the overflow policy says, at most until `deadline`.
  FeedResult feed(NodeId node, std::vector<Item> items, std::optional<TimePoint> deadline = {});
  /// Workers pull from it when they have nothing better to do; returns at once. Several sources
  /// are pulled in turn.
  void feed_from(NodeId node, Source source);
  /// Blocks until every source so far has been pulled to its end, or input was closed.
  void wait_for_sources();
  /// What a source threw, if one did.
  [[nodiscard]] std::exception_ptr input_error() const;
  void close_input();
  /// Closes input as soon as every source so far is at its end; returns at once.
  void close_input_after_sources();

  // --- Results.

  /// Waits for results; null: there will be none any more, or the deadline is over.
  [[nodiscard]] ChunkPtr take(std::optional<TimePoint> deadline = {});
  [[nodiscard]] ChunkPtr try_take();
  void recycle(ChunkPtr chunk);
  /// As `take`, and works for the pipeline meanwhile, wherever there is something for this thread
  /// to do. What `run` does with its thread.
  [[nodiscard]] ChunkPtr help_and_take();

  // --- The end.

  /// Closes input and waits until everything has ended. False: not in time (it goes on). Results
  /// wait until they are taken, all of them: from now on nothing is held back when nobody takes
  /// (PipelineSnapshot::outputs_waiting says how many there are). So there may be as many as the
  /// stages have capacity more than output_capacity.
  bool drain(std::optional<TimePoint> deadline);
  /// Waits until nothing is in flight; input may stay open. While results are full, somebody must
  /// take them, or it waits until its deadline.
  bool wait_idle(std::optional<TimePoint> deadline);
  /// See Flow. Both answer at once; every waiting call gets its answer.
  void cancel(const std::string& reason);
  void abort(const std::string& reason);
  /// After drain, cancel or abort: waits for tasks that still run, joins the threads. A Runner can
  /// be started again afterwards, with counts from zero. False: not in time.
  bool stop(std::optional<TimePoint> deadline = {});

  // --- Steering, watching.

  bool resize(const std::string& stage, std::uint32_t workers);
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] PipelineSnapshot snapshot() const;
  [[nodiscard]] const Plan& plan() const;
  [[nodiscard]] std::optional<NodeId> find(const std::string& stage) const;
  /// Any number of sinks; before `start` for a whole history.
  void track(std::shared_ptr<TrackSink> sink);
  void keep_safe_with(std::shared_ptr<ProgressSink> sink);
  /// Threads there are now, idle ones included.
  [[nodiscard]] std::size_t threads() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Says what the worker that calls it is doing, for dashboards. Only the last text is kept. At most
/// once per `min_interval` for one item. False: not called from a task, or too soon.
bool set_task_status(std::string text, Duration min_interval = {});

}  // namespace espalier::pipeline
