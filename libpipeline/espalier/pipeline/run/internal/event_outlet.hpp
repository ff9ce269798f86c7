#pragma once

#include "espalier/pipeline/run/internal/task_moments.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace espalier::pipeline::internal {

/// Brings the Flow's events to the sinks: gathered under the Runner's lock, delivered without it,
/// in order, by one thread at a time. The thread that finds something to deliver does it.
///
/// `watched`, `wants_tasks` and `errors` are thread-safe; `deliver` is called by the thread that
/// `begin` chose, without the lock; all others under the Runner's lock.
class EventOutlet {
 public:
  void add(std::shared_ptr<TrackSink> sink);
  /// Tells all sinks that a run begins.
  void start(const Plan& plan);
  [[nodiscard]] bool watched() const { return watched_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool wants_tasks() const { return wants_tasks_.load(std::memory_order_relaxed); }

  /// Takes what the Flow has, so that what is added next comes behind it.
  void gather(Flow& flow);
  void add_tasks(TaskMoments& moments) { moments.move_to(waiting_); }
  void add_task(TrackEvent event) { waiting_.push_back(std::move(event)); }
  [[nodiscard]] bool can_begin() const { return !delivering_ && !waiting_.empty(); }
  /// True: there is something to deliver, nobody does, so the caller calls `deliver`, then `end`.
  [[nodiscard]] bool begin();
  void deliver();
  void end();
  /// All sinks know all that happened.
  [[nodiscard]] bool quiet() const { return waiting_.empty() && !delivering_; }
  /// So many events wait that workers had better wait, too. Never for the thread that delivers.
  [[nodiscard]] bool overfull() const;
  /// The caller is inside a sink.
  [[nodiscard]] bool delivered_here() const;
  /// What sinks have thrown so far.
  [[nodiscard]] std::uint64_t errors() const { return errors_.load(std::memory_order_relaxed); }

 private:
  using Sinks = std::vector<std::shared_ptr<TrackSink>>;
  static constexpr std::size_t most_waiting = 10'000;

  /// Sinks may change their minds; they are asked when a run begins and after each delivery.
  void ask_for_tasks();

  std::shared_ptr<const Sinks> sinks_ = std::make_shared<const Sinks>();
  std::atomic<bool> watched_ = false;
  std::atomic<bool> wants_tasks_ = false;
  std::atomic<std::uint64_t> errors_ = 0;
  std::vector<TrackEvent> waiting_;
  std::vector<TrackEvent> from_flow_;
  bool delivering_ = false;
  std::thread::id deliverer_ = {};
  std::vector<TrackEvent> batch_;  ///< What the deliverer delivers.
  std::shared_ptr<const Sinks> batch_sinks_ = {};
};

}  // namespace espalier::pipeline::internal
