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

EventSubscription::Queue::Queue(EventFilter filter, std::size_t capacity)
    : filter_(std::move(filter)), capacity_(std::max<std::size_t>(capacity, 1)) {}

void EventSubscription::Queue::push(const Event& event) {
  if (!matches(filter_, event)) return;
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  if (events_.size() >= capacity_) {
    ++dropped_;
    return;
  }
  events_.push_back(event);
  changed_.notify_one();
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
  const std::lock_guard lock{mutex_};
  std::erase_if(queues_, [](const auto& queue) { return queue.expired(); });
  std::erase_if(wakes_, [](const auto& wake) { return wake.expired(); });
  anybody_ = !queues_.empty() || !wakes_.empty();
  for (const auto& weak : queues_) {
    if (const auto queue = weak.lock()) queue->push(event);
  }
  for (const auto& weak : wakes_) {
    if (const auto wake = weak.lock()) (*wake)();
  }
}

EventSubscription EventHub::subscribe(EventFilter filter, std::size_t capacity) {
  auto queue = std::make_shared<EventSubscription::Queue>(std::move(filter), capacity);
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
