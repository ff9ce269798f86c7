#include "espalier/supervisor/runtime/event_hub.hpp"

#include "espalier/supervisor/actor/tree_directory.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace espalier::supervisor {

namespace {

// Waits are bounded: an instant that far off would overflow the clock.
constexpr Duration longest_wait = std::chrono::hours{24 * 365};

bool is_about(const EventFilter& filter, const std::string& path) {
  if (is_pattern(filter.path)) return fits_pattern(filter.path, path);
  return filter.path.empty() || is_at_or_below(path, filter.path);
}

}  // namespace

bool matches(const EventFilter& filter, const Event& event) {
  if (severity_of(event.body) < filter.min_severity) return false;
  if (!filter.types.empty() && std::find(filter.types.begin(), filter.types.end(),
                                         type_name(event.body)) == filter.types.end()) {
    return false;
  }
  if (is_about(filter, event.path)) return true;
  // It is told by the supervisor, and whoever follows the child wants to know who stopped it.
  const auto* const command = std::get_if<events::CommandDone>(&event.body);
  return command && !command->child.empty() && is_about(filter, command->child);
}

EventSubscription::Queue::Queue(Options options)
    : options_(std::move(options)), backpressure_(options_.backpressure) {}

void EventSubscription::Queue::push(const Event& event, std::vector<EventBody>& news) {
  if (!matches(options_.filter, event)) return;
  const std::lock_guard lock{mutex_};
  if (closed_ || !takes(event, news)) return;
  events_.push_back(event);
  changed_.notify_one();
}

// There is nothing to block here but the supervisor itself, so a full queue loses what comes. What
// was lost is told once the reader keeps up again: told at once, it would be one more event that
// has no room.
bool EventSubscription::Queue::takes(const Event& event, std::vector<EventBody>& news) {
  const auto verdict = backpressure_.offer(events_.size(), options_.capacity, event.monotonic);
  if (verdict.alert) {
    news.emplace_back(events::BackpressureAlert{options_.name, to_string(verdict.alert->level),
                                                verdict.alert->fill_pct});
  }
  const bool full = events_.size() >= std::max<std::size_t>(options_.capacity, 1);
  if (full || verdict.take == Backpressure::Take::leave_out) {
    ++dropped_;
    if (lagged_.dropped++ == 0) lagged_.from = event.sequence;
    lagged_.to = event.sequence;
    if (full || lagged_.reason.empty()) lagged_.reason = full ? "full" : "sampled";
    return false;
  }
  if (lagged_.dropped != 0 && backpressure_.level() == Backpressure::Level::normal) {
    lagged_.reader = options_.name;
    news.emplace_back(std::exchange(lagged_, {}));
  }
  return true;
}

std::optional<Event> EventSubscription::Queue::next(Duration limit) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, std::clamp(limit, Duration::zero(), longest_wait),
                    [this] { return closed_ || !events_.empty(); });
  if (events_.empty()) return {};
  auto result = std::move(events_.front());
  events_.pop_front();
  return result;
}

std::uint64_t EventSubscription::Queue::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

bool EventSubscription::Queue::closed() const {
  const std::lock_guard lock{mutex_};
  return closed_;
}

void EventSubscription::Queue::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  changed_.notify_all();
}

std::optional<Event> EventSubscription::next(Duration limit) const {
  return queue_->next(limit);
}

std::uint64_t EventSubscription::dropped() const {
  return queue_->dropped();
}

bool EventSubscription::closed() const {
  return queue_->closed();
}

void EventSubscription::close() const {
  queue_->close();
}

void EventHub::publish(const Event& event) {
  if (!anybody_) return;
  std::vector<EventBody> news;
  hand_out(event, news);
  for (auto& body : news)
    report_(std::move(body));
}

void EventHub::hand_out(const Event& event, std::vector<EventBody>& news) {
  const std::lock_guard lock{mutex_};
  std::erase_if(queues_, [](const auto& queue) { return queue.expired(); });
  std::erase_if(wakes_, [](const auto& wake) { return wake.expired(); });
  anybody_ = !queues_.empty() || !wakes_.empty();
  for (const auto& weak : queues_) {
    if (const auto queue = weak.lock()) queue->push(event, news);
  }
  for (const auto& weak : wakes_) {
    if (const auto wake = weak.lock()) (*wake)();
  }
}

EventSubscription EventHub::subscribe(EventFilter filter, std::size_t capacity, std::string name) {
  auto queue = std::make_shared<EventSubscription::Queue>(
      EventSubscription::Queue::Options{.filter = std::move(filter),
                                        .capacity = capacity,
                                        .name = std::move(name),
                                        .backpressure = backpressure_});
  const std::lock_guard lock{mutex_};
  if (closed_) {
    queue->close();
  } else {
    queues_.push_back(queue);
    anybody_ = true;
  }
  return EventSubscription{std::move(queue)};
}

std::shared_ptr<void> EventHub::on_event(std::function<void()> wake) {
  auto result = std::make_shared<std::function<void()>>(std::move(wake));
  const std::lock_guard lock{mutex_};
  wakes_.push_back(result);
  anybody_ = true;
  return result;
}

void EventHub::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  for (const auto& weak : queues_) {
    if (const auto queue = weak.lock()) queue->close();
  }
}

}  // namespace espalier::supervisor
