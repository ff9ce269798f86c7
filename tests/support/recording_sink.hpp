#pragma once

#include "espalier/supervisor/core/event.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor::testing {

/// Keeps every event of a tree and lets a test wait for one.
class RecordingSink final : public EventSink {
 public:
  void publish(const Event& event) override {
    const std::lock_guard lock{mutex_};
    events_.push_back(event);
    changed_.notify_all();
  }

  [[nodiscard]] std::vector<Event> events() const {
    const std::lock_guard lock{mutex_};
    return events_;
  }

  /// "path type" of each event, in order, of the types asked for.
  [[nodiscard]] std::vector<std::string> lines(const std::vector<std::string>& types) const {
    std::vector<std::string> result;
    for (const auto& event : events()) {
      const std::string type = type_name(event.body);
      for (const auto& wanted : types) {
        if (type == wanted) result.push_back(event.path + " " + type);
      }
    }
    return result;
  }

  [[nodiscard]] std::size_t count(const std::string& path, const std::string& type) const {
    std::size_t result = 0;
    for (const auto& event : events()) {
      if (event.path == path && type_name(event.body) == type) ++result;
    }
    return result;
  }

  /// The bodies of one type, of one path.
  template <class Body>
  [[nodiscard]] std::vector<Body> bodies(const std::string& path) const {
    std::vector<Body> result;
    for (const auto& event : events()) {
      const auto* body = std::get_if<Body>(&event.body);
      if (body && event.path == path) result.push_back(*body);
    }
    return result;
  }

  /// False when it did not become true in time.
  bool wait_for(const std::function<bool(const std::vector<Event>&)>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds{10}) const {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return condition(events_); });
  }

  /// Waits until there have been `times` events of this type for this path.
  bool wait_for(const std::string& path, const std::string& type, std::size_t times = 1,
                std::chrono::milliseconds limit = std::chrono::seconds{10}) const {
    return wait_for(
        [&](const std::vector<Event>& all) {
          std::size_t seen = 0;
          for (const auto& event : all) {
            if (event.path == path && type_name(event.body) == type) ++seen;
          }
          return seen >= times;
        },
        limit);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Event> events_;
};

}  // namespace espalier::supervisor::testing
