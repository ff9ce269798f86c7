#include "espalier/supervisor/scheduler/scheduler.hpp"

#include "espalier/supervisor/scheduler/named_thread.hpp"

#include <caf/actor_system.hpp>

#include <limits>

namespace espalier::supervisor {

Lane::Lane(Scheduler& scheduler)
    : caf::execution_unit(&scheduler.system()), scheduler_(scheduler) {}

// A worker of ours serves the lane itself as soon as its handler returns.
void Lane::exec_later(caf::resumable* job) {
  queue_.push(job);
  scheduler_.someone_waits_in_lane();
}

caf::resumable* Lane::pop() {
  auto* job = queue_.pop();
  if (job) served_.fetch_add(1, std::memory_order_relaxed);
  return job;
}

Scheduler::Scheduler(caf::actor_system& system)
    : abstract_coordinator(system), overseer_(*this), lane_(*this) {}

caf::actor_system::module* Scheduler::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new Scheduler(system);
}

Scheduler* Scheduler::of(caf::actor_system& system) {
  return dynamic_cast<Scheduler*>(&system.scheduler());
}

void Scheduler::init(caf::actor_system_config& config) {
  abstract_coordinator::init(config);
  if (max_throughput_ == std::numeric_limits<std::size_t>::max())
    max_throughput_ = usual_throughput;
}

void Scheduler::start() {
  for (std::size_t i = 0; i < num_workers(); ++i)
    workers_.push_back(std::make_unique<Worker>(*this, i));
  for (auto& worker : workers_) {
    threads_.push_back(named_thread("espalier-worker", [this, worker = worker.get()] {
      system().thread_started();
      worker->run();
      system().thread_terminates();
    }));
  }
  overseer_.start();
  clock_.start();
  abstract_coordinator::start();
}

void Scheduler::stop() {
  stop_actors();
  stopping_ = true;
  parking_.close();
  for (auto& thread : threads_)
    thread.join();
  overseer_.stop();
  clock_.stop();
  drop_what_is_left();
}

// What one of our own threads wakes stays there.
void Scheduler::enqueue(caf::resumable* job) {
  if (auto* worker = Worker::here(*this)) {
    worker->exec_later(job);
  } else {
    injector_.push(job);
    parking_.call_one();
  }
}

void Scheduler::someone_waits_in_lane() {
  if (!Worker::here(*this)) parking_.call_one();
  overseer_.look_soon();
}

// Letting go of an actor may wake others, which then come to the injector.
void Scheduler::drop_what_is_left() {
  for (bool again = true; again;) {
    again = false;
    const auto drop_all = [&again](auto& queue) {
      while (auto* job = queue.pop()) {
        again = true;
        cleanup_and_release(job);
      }
    };
    for (auto& worker : workers_) {
      worker->give_up_next();
      drop_all(worker->queue());
    }
    drop_all(injector_);
    drop_all(lane_);
  }
}

bool Scheduler::anything_waits() const {
  if (!injector_.surely_empty() || !lane_.surely_empty()) return true;
  for (const auto& worker : workers_) {
    if (!worker->queue().surely_empty()) return true;
  }
  return false;
}

}  // namespace espalier::supervisor
