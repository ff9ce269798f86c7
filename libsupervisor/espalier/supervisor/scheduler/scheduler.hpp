#pragma once

#include "espalier/supervisor/scheduler/job_queue.hpp"
#include "espalier/supervisor/scheduler/lane.hpp"
#include "espalier/supervisor/scheduler/overseer.hpp"
#include "espalier/supervisor/scheduler/parking.hpp"
#include "espalier/supervisor/scheduler/scheduler_clock.hpp"
#include "espalier/supervisor/scheduler/worker.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace espalier::supervisor {

/// Runs actors on a few threads, in place of the schedulers of CAF 0.17, of which one polls and
/// starves and the other wakes a second processor for each message. Give it to CAF by
/// `config.load<Scheduler>()`; it reads `scheduler.max-threads` and `scheduler.max-throughput`.
///
/// Promises: an actor that others wait for is run by the thread that woke it, without waking
/// another; whatever waits 400 us behind a handler that does not return is taken by a thread that
/// is free; supervisors have a lane that is served before everything else, and by a thread of its
/// own where nobody has served it for 400 us. With nothing to do, no thread wakes.
///
/// Does not write CAF's own log of what happens on its threads: that costs more than the rest.
class Scheduler final : public caf::scheduler::abstract_coordinator {
 public:
  /// Messages that one actor handles before others have a turn, unless the configuration says so.
  static constexpr std::size_t usual_throughput = 200;

  explicit Scheduler(caf::actor_system& system);
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  /// For tests and for SupervisorActor; null where `system` has another scheduler.
  static Scheduler* of(caf::actor_system& system);
  [[nodiscard]] Lane& lane() { return lane_; }

  void init(caf::actor_system_config& config) override;
  void start() override;
  void stop() override;
  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override { return clock_; }

 private:
  friend class Worker;
  friend class Lane;
  friend class Overseer;

  void someone_waits_in_lane();
  void drop_what_is_left();
  [[nodiscard]] bool anything_waits() const;

  JobQueue injector_;
  Parking parking_;
  Overseer overseer_;
  Lane lane_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_ = false;
  SchedulerClock clock_;
};

}  // namespace espalier::supervisor
