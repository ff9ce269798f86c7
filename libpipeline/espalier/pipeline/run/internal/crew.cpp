#include "espalier/pipeline/run/internal/crew.hpp"

#include "espalier/pipeline/run/internal/inside.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace espalier::pipeline::internal {
namespace {

using Clock = std::chrono::steady_clock;

/// Threads that can be at work at the same time: coroutines need none.
std::size_t most_hands(const Plan& plan, const std::vector<std::uint32_t>& workers) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto& node = plan.nodes[i];
    if (node.async) continue;
    sum += node.options.adaptive ? std::max(workers[i], node.options.adaptive->max) : workers[i];
  }
  return std::max<std::size_t>(sum, 1);
}

std::vector<std::uint32_t> workers_of(const Plan& plan) {
  std::vector<std::uint32_t> workers;
  for (const auto& node : plan.nodes)
    workers.push_back(node.options.workers);
  return workers;
}

}  // namespace

Crew::Crew(Plan plan, RunnerOptions options)
    : options_(std::move(options)),
      processors_(std::max(1U, std::thread::hardware_concurrency())),
      blocks_(plan.options.overflow == Overflow::block),
      flow_(std::move(plan)),
      workers_(workers_of(flow_.plan())),
      limit_(options_.threads ? options_.threads : most_hands(flow_.plan(), workers_)) {
  tables_.wants_tasks = [this] { return events_.wants_tasks(); };
  tables_.tell = [this](TrackEvent event) {
    Lock lock(mutex_);
    events_.gather(flow_);
    events_.add_task(std::move(event));
    leave(lock);
  };
}

Crew::~Crew() {
  abort("the pipeline was destroyed");
  stop({});
}

bool Crew::start(Runner::Caller caller) {
  Lock lock(mutex_);
  if (running_) return false;
  if (used_) {
    while (auto chunk = flow_.take_outputs())
      flow_.recycle(std::move(chunk));
    flow_.reset();
  }
  used_ = true;
  running_ = true;
  caller_ = caller;
  helper_away_ = caller == Runner::Caller::helps;
  helper_here_ = false;
  helper_left_ = {};
  helper_pause_ = {};
  close_after_sources_ = false;
  input_error_ = nullptr;
  call_gap_ = {};
  read_clock();
  events_.start(flow_.plan());
  leave(lock);
  return true;
}

bool Crew::running() const {
  const Lock lock(mutex_);
  return running_;
}

bool Crew::on_own_thread() const {
  return Inside::of(this) || events_.delivered_here();
}

// --- The end of a lock hold.

void Crew::read_clock(TimePoint now) {
  now_ = std::max(now_, now);
}

void Crew::read_clock() {
  read_clock(Clock::now());
}

/// Does what is due; when to look again.
Deadline Crew::tick() {
  const auto due = flow_.next_deadline();
  if (!due || *due > now_) return due;
  expired_.clear();
  flow_.advance(now_, expired_);
  request_stops(expired_);
  return flow_.next_deadline();
}

void Crew::settle() {
  const auto due = tick();
  events_.gather(flow_);
  if (!takers_.empty()) serve_takers();
  if (!feeders_.empty()) serve_feeders();
  if (!waiters_.empty()) serve_waiters();
  call_hand();
  set_keeper(due);
}

bool Crew::tidy(Lock& lock) {
  bool released = false;
  settle();
  for (; has_errands(); released = true)
    do_errands(lock);
  return released;
}

void Crew::leave(Lock& lock) {
  tidy(lock);
  lock.unlock();
}

bool Crew::has_errands() {
  return !stops_.empty() || !for_lane_.empty() || !fallen_.empty() || flow_.has_news() ||
         events_.can_begin();
}

void Crew::do_errands(Lock& lock) {
  auto stops = std::exchange(stops_, {});
  auto items = std::exchange(for_lane_, {});
  auto fallen = std::exchange(fallen_, {});
  auto* lane = lane_.get();
  auto failed = flow_.take_untold();
  auto ended = flow_.take_ended();
  const bool tells = !failed.empty() || ended;
  if (tells) ++telling_;
  const bool deliver = events_.begin();
  lock.unlock();
  if (!items.empty()) lane->start(std::move(items));
  for (auto& stop : stops)
    stop.request_stop();
  for (auto& thread : fallen)
    thread.join();
  tell_failed(failed);
  tell_ended(ended);
  if (ended) ended->items.clear();  // Values of users are destroyed without the lock.
  if (deliver) events_.deliver();
  lock.lock();
  if (tells) --telling_;
  if (!failed.empty()) flow_.told(std::move(failed));
  if (ended) flow_.recycle(std::move(ended));
  if (deliver) events_.end();
  settle();
}

bool Crew::over() const {
  return !running_ || (flow_.input_closed() && flow_.idle() && told_all());
}

void Crew::serve_takers() {
  while (!takers_.empty()) {
    auto chunk = flow_.take_outputs();
    if (!chunk && !over()) return;
    auto& taker = *takers_.front();
    takers_.pop_front();
    taker.chunk = std::move(chunk);
    taker.answered = true;
    taker.call.notify_one();
  }
}

void Crew::serve_feeders() {
  for (auto* feeder : feeders_) {
    if (feeder->called) continue;
    const auto first = std::find_if(feeders_.begin(), feeders_.end(), [feeder](const auto* one) {
      return one->node == feeder->node;
    });
    if (!closed() && (*first != feeder || !has_room(feeder->node))) continue;
    feeder->called = true;
    feeder->call.notify_one();
  }
}

void Crew::serve_waiters() {
  for (auto* waiter : waiters_)
    if (waiter->ready()) waiter->call.notify_one();
}

void Crew::request_stops(std::vector<std::uint64_t>& works) {
  if (works.empty()) return;
  std::sort(works.begin(), works.end());
  const auto meant = [&works](const Work& work) {
    return std::binary_search(works.begin(), works.end(), work.id);
  };
  for (auto* context : at_work_)
    if (meant(context->work())) stops_.push_back(context->stop_source());
  for (auto& ready : ready_)
    if (meant(ready.work)) ready.stop = true;
}

// --- The end of a run.

bool Crew::drain(Deadline deadline) {
  close_input();
  {
    Lock lock(mutex_);
    read_clock();
    if (running_) flow_.unbind_outputs();
    leave(lock);
  }
  return wait_idle(deadline);
}

bool Crew::wait_idle(Deadline deadline) {
  Lock lock(mutex_);
  const bool idle = on_own_thread()
                        ? flow_.idle()  // Would wait for itself.
                        : wait_until(
                              lock, [this] { return flow_.idle() && told_all(); }, deadline);
  leave(lock);
  return idle;
}

void Crew::cancel(const std::string& reason) {
  Lock lock(mutex_);
  if (!running_) return;
  read_clock();
  flow_.cancel(reason, now_);
  sources_.remove_idle();
  leave(lock);
}

void Crew::abort(const std::string& reason) {
  Lock lock(mutex_);
  if (!running_) return;
  read_clock();
  std::vector<std::uint64_t> running;
  flow_.abort(reason, now_, running);
  request_stops(running);
  sources_.remove_idle();
  leave(lock);
}

bool Crew::stop(Deadline deadline) {
  Lock lock(mutex_);
  if (!running_) return true;
  read_clock();
  if (flow_.idle())
    flow_.close_input();
  else
    flow_.cancel("the pipeline was stopped", now_);
  sources_.remove_idle();
  bool stopped = false;
  if (!on_own_thread())
    stopped = wait_until(
        lock, [this] { return !running_ || (outstanding_ == 0 && told_all() && !joining_); },
        deadline);
  if (stopped && running_) end_hands(lock);
  leave(lock);
  return stopped;
}

// --- Steering, watching.

bool Crew::resize(const std::string& stage, std::uint32_t workers) {
  Lock lock(mutex_);
  const auto node = flow_.find(stage);
  read_clock();
  const bool resized = node && flow_.resize(*node, workers, now_);
  if (resized) {
    workers_[*node] = workers;
    if (!options_.threads) limit_ = most_hands(flow_.plan(), workers_);
  }
  leave(lock);
  return resized;
}

Counts Crew::counts() const {
  const Lock lock(mutex_);
  return flow_.counts();
}

PipelineSnapshot Crew::snapshot() const {
  Lock lock(mutex_);
  auto snapshot = flow_.snapshot(std::max(now_, TimePoint(Clock::now())));
  lock.unlock();
  tables_.statuses.add_to(snapshot, flow_.plan());
  return snapshot;
}

std::optional<NodeId> Crew::find(const std::string& stage) const {
  const Lock lock(mutex_);
  return flow_.find(stage);
}

void Crew::track(std::shared_ptr<TrackSink> sink) {
  const Lock lock(mutex_);
  if (running_) sink->on_start(flow_.plan());
  events_.add(std::move(sink));
  flow_.watch(true);
}

void Crew::keep_safe_with(std::shared_ptr<ProgressSink> sink) {
  const Lock lock(mutex_);
  progress_ = std::move(sink);
  flow_.tell_ends(progress_ != nullptr);
}

}  // namespace espalier::pipeline::internal
