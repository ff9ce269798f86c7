#include "espalier/supervisor/scheduler/worker.hpp"

#include "espalier/supervisor/scheduler/scheduler.hpp"

namespace espalier::supervisor {

namespace {

/// Two actors that keep waking each other leave the rest of the queue a turn after so many.
constexpr int most_nexts_in_a_row = 16;
/// Every so many jobs those come first that arrived from other threads.
constexpr std::uint64_t injector_every = 64;
/// Waking a thread costs as much as several short jobs, so it is done for no fewer.
constexpr std::size_t worth_a_call = 8;
/// Looks for work before a worker parks: some microseconds, in which an answer often comes.
constexpr int looks_before_parking = 50;

struct Here {
  const Scheduler* scheduler = nullptr;
  Worker* worker = nullptr;
};
thread_local Here here_;

void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Worker::Worker(Scheduler& scheduler, std::size_t index)
    : caf::execution_unit(&scheduler.system()), scheduler_(scheduler), index_(index) {}

Worker* Worker::here(const Scheduler& scheduler) {
  return here_.scheduler == &scheduler ? here_.worker : nullptr;
}

// In order: the first one that is woken comes next, the others in the queue. The overseer finds the
// few that wait behind a handler that takes long.
void Worker::exec_later(caf::resumable* job) {
  caf::resumable* nobody = nullptr;
  const bool may_be_next = nexts_in_a_row_ < most_nexts_in_a_row;
  if (!may_be_next || !next_.compare_exchange_strong(nobody, job)) {
    queue_.push(job);
    if (queue_.size() >= worth_a_call) scheduler_.parking_.call_one();
  }
  scheduler_.overseer_.look_soon();
}

bool Worker::anything_waits() const {
  return next_.load() != nullptr || !queue_.surely_empty();
}

void Worker::give_up_next() {
  if (auto* job = next_.exchange(nullptr)) queue_.push(job);
}

void Worker::run() {
  here_ = {&scheduler_, this};
  while (!scheduler_.stopping_.load(std::memory_order_relaxed)) {
    auto job = next_job();
    if (!job.what) job = wait_for_job();
    if (job.what) carry_out(job);
  }
  here_ = {};
}

// The lane comes first, but not twice in a row while others wait: supervisors that keep each other
// busy leave their children half of the time.
Worker::Job Worker::next_job() {
  if ((turns() + 1) % injector_every == 0) {
    if (auto* job = scheduler_.injector_.pop()) return {job};
  }
  if (!lane_had_its_turn_) {
    if (auto* job = scheduler_.lane_.pop()) return {job, true};
  }
  if (auto* job = next_of_own()) return {job};
  if (auto* job = scheduler_.injector_.pop()) return {job};
  if (auto* job = stolen()) return {job};
  return {scheduler_.lane_.pop(), true};
}

caf::resumable* Worker::next_of_own() {
  if (nexts_in_a_row_ < most_nexts_in_a_row) {
    if (auto* job = next_.exchange(nullptr)) {
      ++nexts_in_a_row_;
      return job;
    }
  }
  nexts_in_a_row_ = 0;
  give_up_next();
  return queue_.pop();
}

caf::resumable* Worker::stolen() {
  const auto& all = scheduler_.workers_;
  for (std::size_t step = 1; step < all.size(); ++step) {
    queue_.take_half_of(all[(index_ + step) % all.size()]->queue());
    if (auto* job = queue_.pop()) return job;
  }
  return nullptr;
}

Worker::Job Worker::wait_for_job() {
  for (int i = 0; i < looks_before_parking; ++i) {
    if (const auto job = next_job(); job.what) return job;
    pause_processor();
  }
  scheduler_.parking_.park([this] { return scheduler_.anything_waits(); });
  return {};
}

void Worker::carry_out(Job job) {
  turns_.store(turns() + 1, std::memory_order_relaxed);
  lane_had_its_turn_ = job.of_lane;
  switch (job.what->resume(this, scheduler_.max_throughput())) {
    case caf::resumable::resume_later:
      if (job.of_lane) {
        scheduler_.lane_.push_back(job.what);
      } else {
        queue_.push(job.what);
      }
      return;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
    case caf::resumable::shutdown_execution_unit:  // Of other schedulers.
      caf::intrusive_ptr_release(job.what);
  }
}

}  // namespace espalier::supervisor
