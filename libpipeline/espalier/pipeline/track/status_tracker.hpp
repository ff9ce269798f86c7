#pragma once

#include "espalier/pipeline/run/runner.hpp"
#include "espalier/pipeline/track/item_history.hpp"
#include "espalier/pipeline/track/subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// Where subscribers are called.
enum class Delivery : std::uint8_t {
  queued,   ///< On a thread of the tracker, a moment later. Slow subscribers slow no item.
  inline_,  ///< At once, on the thread of the worker or the feeder, which waits for them.
};

struct TrackerOptions {
  Delivery delivery = Delivery::queued;
  /// Events that wait for the tracker's thread. When half are waiting, events of tasks are dropped,
  /// when all are, every new one; `dropped` counts them.
  std::size_t queue_limit = std::size_t{1} << 16U;
  HistoryLimits history = {};
  /// For tests: both clocks. Default: those of the system.
  std::function<TimePoint()> now = {};
  std::function<WallTime()> wall = {};
};

/// What happens to each item of a pipeline: tells subscribers, answers questions.
///
/// Of one pipeline at a time, and of its present or last run: a new run begins with nothing. An
/// item goes by its id; of several with equal ids the last one fed is meant. Neither a slow
/// subscriber nor one that throws changes what becomes of an item.
///
/// Answers tell what the tracker's thread has heard by now; `flush` waits for the rest. When events
/// were dropped, items may look older than they are; Runner::snapshot has the true numbers.
///
/// Thread rule: every member may be called from any thread, also by subscribers. The thread is made
/// with the first event and sleeps while nothing happens. The destructor lets subscribers hear what
/// is waiting.
class StatusTracker final : public TrackSink {
 public:
  explicit StatusTracker(TrackerOptions options = {});
  ~StatusTracker() override;
  StatusTracker(const StatusTracker&) = delete;
  StatusTracker& operator=(const StatusTracker&) = delete;

  // --- Subscribers: any number, called one after the other, in the order they came.

  using OnStatus = std::function<void(const StatusEvent&)>;
  using OnTask = std::function<void(const TaskEvent&)>;
  [[nodiscard]] Subscription on_status_change(OnStatus call);
  [[nodiscard]] Subscription on_task_start(OnTask call);
  [[nodiscard]] Subscription on_task_complete(OnTask call);
  [[nodiscard]] Subscription on_task_retry(OnTask call);
  [[nodiscard]] Subscription on_task_fail(OnTask call);

  // --- Questions.

  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  /// The last that happened to the item; nothing when it is unknown or forgotten.
  [[nodiscard]] std::optional<StatusEvent> get_status(const std::string& id) const;
  /// Everything that happened to it, in order.
  [[nodiscard]] std::vector<StatusEvent> get_history(const std::string& id) const;
  /// The same of the item fed as number `seq`, whatever its id.
  [[nodiscard]] std::vector<StatusEvent> get_history(ItemSeq seq) const;
  /// Of the items that are there now and still known, in the order they were fed. O(items).
  [[nodiscard]] std::vector<StatusEvent> get_by_status(Status status, std::size_t most = all) const;
  /// Of the items that changed last, newest first. O(most), at most some hundreds.
  [[nodiscard]] std::vector<StatusEvent> get_recent(std::size_t most) const;
  /// All items of the run, forgotten ones included. O(1).
  [[nodiscard]] StatusStats get_stats() const;
  /// The last ones, oldest first; HistoryLimits::failed are kept.
  [[nodiscard]] std::vector<FailedItem> get_failed_items(std::size_t most = all) const;
  /// With at most so many failed items, the last ones. O(most).
  [[nodiscard]] ErrorSummary get_error_summary(std::size_t most = all) const;

  /// Waits until subscribers have heard everything that happened before the call. Returns at once
  /// when called by a subscriber.
  void flush() const;
  /// Events that were lost because the queue was full, one for each item.
  [[nodiscard]] std::uint64_t dropped() const;
  /// Calls of subscribers that ended with an exception.
  [[nodiscard]] std::uint64_t subscriber_errors() const;
  /// Items whose history has gone because of its limits.
  [[nodiscard]] std::uint64_t forgotten() const;

  // --- For the Runner.

  void on_start(const Plan& plan) override;
  void on_events(const std::vector<TrackEvent>& events) override;
  /// While there are subscribers of tasks.
  [[nodiscard]] bool wants_tasks() const override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace espalier::pipeline
