#pragma once

#include "espalier/supervisor/scheduler/alarm.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace espalier::supervisor {

class Scheduler;

/// Looks after those who wait behind a handler that does not return. Who puts a job where only one
/// thread would find it asks for a look; the look comes `delay` later, on a thread of its own, and
/// costs nothing where nobody asks. Supervisors that still wait then are run right here.
class Overseer {
 public:
  static constexpr std::chrono::microseconds delay{200};

  explicit Overseer(Scheduler& scheduler) : scheduler_(scheduler) {}

  void start();
  void stop();
  /// From any thread, after the job is where it waits. Cheap where a look is already due.
  void look_soon();

 private:
  void run();
  [[nodiscard]] bool serve_lane();
  [[nodiscard]] bool help_workers();

  Scheduler& scheduler_;
  Alarm alarm_;
  std::atomic<bool> look_due_ = false;
  std::atomic<bool> stopping_ = false;

  // As of the last look.
  struct Seen {
    std::uint64_t turns = 0;
    bool backlog = false;
  };
  std::vector<Seen> seen_;  // By worker.
  std::uint64_t served_seen_ = 0;
  std::thread thread_;
};

}  // namespace espalier::supervisor
