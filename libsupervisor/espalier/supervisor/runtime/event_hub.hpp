#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/runtime/event_subscription.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace espalier::supervisor {

class EventSubscription::Queue {
 public:
  Queue(EventFilter filter, std::size_t capacity);
  void push(const Event& event);
  [[nodiscard]] std::optional<Event> next(Duration limit);
  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] bool closed() const;
  void close();

 private:
  const EventFilter filter_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::uint64_t dropped_ = 0;
  bool closed_ = false;
};

/// Hands the events of a tree to those who subscribe while it runs. Thread-safe.
class EventHub final : public EventSink {
 public:
  void publish(const Event& event) override;
  [[nodiscard]] EventSubscription subscribe(EventFilter filter, std::size_t capacity);
  /// Calls `wake` after every event, on the thread that published it, for as long as the result
  /// lives. It must be quick and must not come back here.
  [[nodiscard]] std::shared_ptr<void> on_event(std::function<void()> wake);
  /// No events come any more; later subscriptions are closed from the start.
  void close();

 private:
  std::atomic<bool> anybody_ = false;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::weak_ptr<EventSubscription::Queue>> queues_;
  std::vector<std::weak_ptr<std::function<void()>>> wakes_;
};

}  // namespace espalier::supervisor
