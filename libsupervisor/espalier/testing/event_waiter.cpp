#include "espalier/testing/event_waiter.hpp"

#include <chrono>

namespace espalier::testing {

using supervisor::Duration;
using supervisor::Event;

void EventWaiter::publish(const Event& event) {
  const std::lock_guard lock{mutex_};
  events_.push_back(event);
  changed_.notify_all();
}

std::optional<Event> EventWaiter::wait_for(const Predicate& predicate, Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock{mutex_};
  std::size_t at = looked_at_;
  const auto found = [&] {
    while (at < events_.size())
      if (predicate(events_[at++])) return true;
    return false;
  };
  if (!changed_.wait_until(lock, deadline, found)) return std::nullopt;
  looked_at_ = at;
  return events_[at - 1];
}

std::optional<Event> EventWaiter::wait_for(const std::string& type, const std::string& path,
                                           Duration timeout) {
  return wait_for(
      [&](const Event& event) {
        return (type.empty() || type == supervisor::type_name(event.body)) &&
               (path.empty() || path == event.path);
      },
      timeout);
}

bool EventWaiter::wait_until_ready(const std::string& path, Duration timeout) {
  return wait_for(
             [&](const Event& event) {
               return path == event.path &&
                      (std::holds_alternative<supervisor::events::ChildReady>(event.body) ||
                       std::holds_alternative<supervisor::events::TreeStarted>(event.body));
             },
             timeout)
      .has_value();
}

std::vector<Event> EventWaiter::events() const {
  const std::lock_guard lock{mutex_};
  return events_;
}

std::string EventWaiter::text() const {
  std::string result;
  for (const auto& event : events())
    result += event.path + ' ' + supervisor::describe(event.body, event.path) + '\n';
  return result;
}

}  // namespace espalier::testing
