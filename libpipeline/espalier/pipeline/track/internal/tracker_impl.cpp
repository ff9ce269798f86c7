#include "espalier/pipeline/track/internal/tracker_impl.hpp"

#include <chrono>
#include <utility>

namespace espalier::pipeline {
namespace {

// So many items at most under one lock, and as many events for subscribers at most in memory.
constexpr std::size_t slice_items = 4096;
// Where events come all the time the thread is woken so often at most.
constexpr auto shortest_pause = std::chrono::microseconds{500};

std::size_t place_of(TaskMoment moment) {
  return static_cast<std::size_t>(moment);
}

}  // namespace

StatusTracker::Impl::Impl(TrackerOptions options)
    : options_(std::move(options)), history_(options_.history) {
  if (!options_.now) options_.now = [] { return TimePoint(std::chrono::steady_clock::now()); };
  if (!options_.wall) options_.wall = [] { return std::chrono::system_clock::now(); };
  history_.start(Naming({}, options_.now(), options_.wall()));
}

Subscription StatusTracker::Impl::subscribe(OnStatus call) {
  const std::lock_guard lock(mutex_);
  return on_status_.add(std::move(call));
}

Subscription StatusTracker::Impl::subscribe(TaskMoment moment, OnTask call) {
  const std::lock_guard lock(mutex_);
  moments_heard_ |= 1U << place_of(moment);
  return on_task_[place_of(moment)].add(std::move(call));
}

void StatusTracker::Impl::start(const std::shared_ptr<Impl>& self, const Plan& plan) {
  Naming naming(plan, options_.now(), options_.wall());
  if (options_.delivery == Delivery::inline_) {
    const std::lock_guard lock(mutex_);
    history_.start(std::move(naming));
    return;
  }
  const std::lock_guard lock(queue_mutex_);
  queue_.beginnings.push_back({queue_.events.size(), std::move(naming)});
  wake(self);
}

bool StatusTracker::Impl::has_room(const TrackEvent& event) const {
  const bool is_task = event.kind == TrackEvent::Kind::task;
  return queue_.events.size() < (is_task ? options_.queue_limit / 2 : options_.queue_limit);
}

void StatusTracker::Impl::take(const std::shared_ptr<Impl>& self,
                               const std::vector<TrackEvent>& events) {
  if (options_.delivery == Delivery::inline_) {
    for (std::span<const TrackEvent> left = events; !left.empty();)
      left = left.subspan(apply_slice(left));
    return;
  }
  const unsigned heard = moments_heard_;
  const std::lock_guard lock(queue_mutex_);
  const std::size_t before = queue_.events.size();
  for (const TrackEvent& event : events) {
    const bool is_task = event.kind == TrackEvent::Kind::task;
    if (is_task && (heard >> event.moment & 1U) == 0) continue;
    if (has_room(event)) {
      queue_.events.push_back(event);
    } else {
      dropped_ += event.count;
    }
  }
  if (queue_.events.size() > options_.queue_limit / 4) hurry();
  if (queue_.events.size() > before) wake(self);
}

// Under the queue's lock.
void StatusTracker::Impl::wake(const std::shared_ptr<Impl>& self) {
  ++queued_;
  if (waiting_) more_.notify_one();
  if (thread_.joinable()) return;
  thread_ = std::thread([self] { self->run(); });
  thread_id_ = thread_.get_id();
}

void StatusTracker::Impl::hurry() {
  if (std::exchange(hurried_, true)) return;
  more_.notify_one();
}

void StatusTracker::Impl::run() {
  Batch batch;
  auto before_next = std::chrono::steady_clock::time_point::min();
  std::unique_lock lock(queue_mutex_);
  while (true) {
    waiting_ = true;
    more_.wait(lock, [this] { return closing_ || applied_ < queued_; });
    waiting_ = false;
    more_.wait_until(lock, before_next, [this] { return closing_ || hurried_; });
    hurried_ = false;
    if (applied_ == queued_) return;
    std::swap(batch, queue_);
    const std::uint64_t upto = queued_;
    lock.unlock();
    apply(batch);
    batch.events.clear();
    batch.beginnings.clear();
    before_next = std::chrono::steady_clock::now() + shortest_pause;
    lock.lock();
    applied_ = upto;
    done_.notify_all();
  }
}

void StatusTracker::Impl::apply(Batch& batch) {
  const std::span<const TrackEvent> events = batch.events;
  std::size_t next = 0;
  const auto apply_until = [&](std::size_t end) {
    while (next < end)
      next += apply_slice(events.subspan(next, end - next));
  };
  for (Beginning& beginning : batch.beginnings) {
    apply_until(beginning.place);
    const std::lock_guard lock(mutex_);
    history_.start(std::move(beginning.naming));
  }
  apply_until(events.size());
}

// Returns how many events it took.
std::size_t StatusTracker::Impl::apply_slice(std::span<const TrackEvent> events) {
  News news;
  std::size_t taken = 0;
  {
    const std::lock_guard lock(mutex_);
    std::size_t items = 0;
    collect_subscribers(news);
    while (taken < events.size() && items < slice_items) {
      note(events[taken], news);
      items += events[taken].count;
      ++taken;
    }
    history_.forget(options_.now());
  }
  tell(news);
  return taken;
}

void StatusTracker::Impl::collect_subscribers(News& news) {
  on_status_.prune();
  if (!on_status_.empty()) news.status = on_status_.present();
  unsigned heard = 0;
  for (std::size_t i = 0; i < on_task_.size(); ++i) {
    on_task_[i].prune();
    if (on_task_[i].empty()) continue;
    news.task[i] = on_task_[i].present();
    heard |= 1U << i;
  }
  moments_heard_ = heard;
}

void StatusTracker::Impl::note(const TrackEvent& event, News& news) {
  if (event.kind == TrackEvent::Kind::task) {
    if (!news.task[event.moment]) return;
    TaskEvent one = history_.naming().task_event(event);
    for (std::uint32_t i = 1; i < event.count; ++i) {
      news.events.emplace_back(one);
      one.item = std::to_string(++one.seq);
    }
    news.events.emplace_back(std::move(one));
    return;
  }
  if (history_.apply(event) && news.status) {
    std::vector<StatusEvent> changes;
    history_.expand(event, changes);
    for (StatusEvent& change : changes)
      news.events.emplace_back(std::move(change));
  }
}

void StatusTracker::Impl::tell(const News& news) {
  for (const auto& event : news.events) {
    if (const auto* status = std::get_if<StatusEvent>(&event)) {
      subscriber_errors_ += internal::Subscribers<StatusEvent>::tell(*news.status, *status);
    } else {
      const auto& task = std::get<TaskEvent>(event);
      const auto& list = *news.task[place_of(task.moment)];
      subscriber_errors_ += internal::Subscribers<TaskEvent>::tell(list, task);
    }
  }
}

void StatusTracker::Impl::flush() {
  std::unique_lock lock(queue_mutex_);
  if (std::this_thread::get_id() == thread_id_) return;
  const std::uint64_t all_of = queued_;
  if (applied_ < all_of) hurry();
  done_.wait(lock, [&] { return applied_ >= all_of; });
}

void StatusTracker::Impl::close() {
  {
    const std::lock_guard lock(queue_mutex_);
    closing_ = true;
  }
  more_.notify_one();
  if (!thread_.joinable()) return;
  if (std::this_thread::get_id() == thread_id_) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

}  // namespace espalier::pipeline
