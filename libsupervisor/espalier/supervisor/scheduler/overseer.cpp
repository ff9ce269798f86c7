#include "espalier/supervisor/scheduler/overseer.hpp"

#include "espalier/supervisor/scheduler/named_thread.hpp"
#include "espalier/supervisor/scheduler/scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_execution_unit.hpp>

#include <utility>

namespace espalier::supervisor {

void Overseer::start() {
  seen_.resize(scheduler_.workers_.size());
  thread_ = named_thread("espalier-watch", [this] { run(); });
}

void Overseer::stop() {
  stopping_ = true;
  alarm_.set(Alarm::TimePoint{});
  if (thread_.joinable()) thread_.join();
}

// A look that begins after the job was put there sees the job; one that has begun was announced as
// over before, so that another one is asked for.
void Overseer::look_soon() {
  if (look_due_.load()) return;
  if (!look_due_.exchange(true)) alarm_.set(std::chrono::steady_clock::now() + delay);
}

void Overseer::run() {
  scheduler_.system().thread_started();
  while (true) {
    alarm_.wait();
    if (stopping_) break;
    look_due_ = false;
    const bool lane_waits = serve_lane();
    const bool workers_wait = help_workers();
    if (lane_waits || workers_wait) look_soon();
  }
  scheduler_.system().thread_terminates();
}

// Only where nobody has served the lane since the last look: else a worker is about to, and its
// processor has what the supervisor needs in its cache.
bool Overseer::serve_lane() {
  auto& lane = scheduler_.lane_;
  const auto served = lane.served();
  if (std::exchange(served_seen_, served) != served) return !lane.surely_empty();
  // What supervisors wake from here goes to the workers: this unit hands on to the scheduler.
  auto* elsewhere = scheduler_.system().dummy_execution_unit();
  while (auto* job = lane.pop()) {
    if (job->resume(elsewhere, scheduler_.max_throughput()) == caf::resumable::resume_later) {
      lane.push_back(job);
      return true;
    }
    caf::intrusive_ptr_release(job);
    if (stopping_) return false;
  }
  return !lane.surely_empty();
}

// Another thread is called where a handler does not return, and where a queue does not get empty:
// there is work for two.
bool Overseer::help_workers() {
  bool anybody_waits = false;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    auto& worker = *scheduler_.workers_[i];
    const Seen now{worker.turns(), !worker.queue().empty()};
    const auto before = std::exchange(seen_[i], now);
    if (!worker.anything_waits()) continue;
    anybody_waits = true;
    const bool stands_still = now.turns == before.turns;
    if (stands_still) worker.give_up_next();
    if (stands_still || (now.backlog && before.backlog)) scheduler_.parking_.call_one();
  }
  return anybody_waits;
}

}  // namespace espalier::supervisor
