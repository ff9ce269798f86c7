#pragma once

#include "espalier/supervisor/scheduler/job_queue.hpp"

#include <caf/execution_unit.hpp>

#include <atomic>
#include <cstdint>

namespace espalier::supervisor {

class Scheduler;

/// Where supervisors wait for a thread: served before all other actors. An actor that hands this to
/// CAF as its execution unit whenever it is woken lives in the lane.
///
/// Unlike other execution units it may be used from any thread.
class Lane final : public caf::execution_unit {
 public:
  explicit Lane(Scheduler& scheduler);

  void exec_later(caf::resumable* job) override;
  /// The next supervisor, or null; may miss one that is pushed right now.
  caf::resumable* pop();
  /// One that wants to go on, but lets others of the lane go first.
  void push_back(caf::resumable* job) { queue_.push(job); }
  /// How many have been popped so far.
  [[nodiscard]] std::uint64_t served() const { return served_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool surely_empty() const { return queue_.surely_empty(); }

 private:
  Scheduler& scheduler_;
  JobQueue queue_;
  std::atomic<std::uint64_t> served_ = 0;
};

}  // namespace espalier::supervisor
