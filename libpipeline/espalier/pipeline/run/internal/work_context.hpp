#pragma once

#include "espalier/pipeline/core/flow.hpp"
#include "espalier/pipeline/run/internal/status_texts.hpp"
#include "espalier/pipeline/run/internal/task_moments.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace espalier::pipeline::internal {

/// What the contexts of a Runner share.
struct WorkTables {
  StatusTexts statuses;
  /// Somebody wants the moments of tasks. Thread-safe.
  std::function<bool()> wants_tasks;
  /// Tells them of one at once. Thread-safe, not under the Runner's lock.
  std::function<void(TrackEvent)> tell;
};

/// What a kernel sees of the batch it runs: one object for each thread (or coroutine), used for one
/// batch after the other.
///
/// The moments of an item that is alone are told as they happen. Those of many are gathered and
/// told with the end of the batch, which is short then.
///
/// A stop source costs an allocation, so it serves one work after the other until a stop is
/// requested. `begin`, `end` and `stop_source` are called under the Runner's lock.
class WorkContext final : public RunContext {
 public:
  explicit WorkContext(WorkTables& tables) : tables_(&tables) {}

  void begin(const Work& work);
  /// The kernel is done.
  void end(TimePoint now);
  /// To request a stop with, once the lock is released: callbacks are users' code.
  [[nodiscard]] std::stop_source stop_source();
  [[nodiscard]] const Work& work() const { return work_; }
  /// Where it stands in the list of those at work.
  std::size_t place = 0;
  /// The item the kernel came to last; null: it did not say.
  [[nodiscard]] const Item* item() const { return current_; }
  [[nodiscard]] TaskMoments& moments() { return moments_; }
  /// See set_task_status.
  bool set_status_at_most(std::string text, Duration min_interval);

  [[nodiscard]] std::stop_token stop_token() const override;
  [[nodiscard]] bool watched() const override;
  void on_task(const Item& item, std::uint16_t task, TaskMoment moment,
               const Failure* failure) override;
  void set_status(std::string text) override;

 private:
  [[nodiscard]] TrackEvent event_of(const Item& item, std::uint16_t task, TaskMoment moment,
                                    const Failure* failure) const;

  WorkTables* tables_;
  Work work_ = {};
  std::size_t items_ = 0;
  TaskMoments moments_;
  std::stop_source stop_;
  bool stop_given_ = false;  ///< Someone may request it at any time, even after `end`.
  TimePoint task_started_ = {};
  const Item* status_item_ = nullptr;  ///< Whose status was set last, and when.
  TimePoint status_at_ = {};
  std::atomic<bool> has_status_ = false;  ///< A task may set it from a thread of its own.
};

}  // namespace espalier::pipeline::internal
