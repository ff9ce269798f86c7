#pragma once

#include "espalier/supervisor/scheduler/job_queue.hpp"

#include <caf/execution_unit.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace espalier::supervisor {

class Scheduler;

/// One thread of a Scheduler, with jobs of its own. The first one that a handler wakes runs next,
/// since its data is in the processor's cache and somebody waits for it; the others in order. Idle
/// workers take half of what another has.
class Worker final : public caf::execution_unit {
 public:
  Worker(Scheduler& scheduler, std::size_t index);

  /// The worker whose thread this is, if it is one of `scheduler`'s.
  static Worker* here(const Scheduler& scheduler);

  /// Only on its own thread.
  void exec_later(caf::resumable* job) override;
  /// Until the scheduler stops.
  void run();

  // For any thread.
  /// Jobs begun so far: where it stands still and somebody waits, a handler does not return.
  [[nodiscard]] std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool anything_waits() const;
  /// Puts what was to come next where others can take it.
  void give_up_next();
  JobQueue& queue() { return queue_; }

 private:
  struct Job {
    caf::resumable* what = nullptr;
    bool of_lane = false;
  };

  [[nodiscard]] Job next_job();
  [[nodiscard]] caf::resumable* next_of_own();
  [[nodiscard]] caf::resumable* stolen();
  [[nodiscard]] Job wait_for_job();
  void carry_out(Job job);

  Scheduler& scheduler_;
  const std::size_t index_;
  JobQueue queue_;
  std::atomic<caf::resumable*> next_ = nullptr;
  std::atomic<std::uint64_t> turns_ = 0;
  int nexts_in_a_row_ = 0;
  bool lane_had_its_turn_ = false;
};

}  // namespace espalier::supervisor
