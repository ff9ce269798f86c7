#pragma once

#include "espalier/supervisor/core/backpressure.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/runtime/event_subscription.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor {

class EventSubscription::Queue {
 public:
  struct Options {
    EventFilter filter = {};
    std::size_t capacity = 1024;
    std::string name = {};
    BackpressureSpec backpressure = {};
  };
  explicit Queue(Options options);
  /// Adds what the tree should be told about this reader to `news`.
  void push(const Event& event, std::vector<EventBody>& news);
  [[nodiscard]] std::optional<Event> next(Duration limit);
  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] bool closed() const;
  void close();

 private:
  [[nodiscard]] bool takes(const Event& event, std::vector<EventBody>& news);

  const Options options_;
  mutable std::mutex mutex_;
  Backpressure backpressure_;
  events::SubscriberLagged lagged_ = {};  // Not yet told.
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::uint64_t dropped_ = 0;
  bool closed_ = false;
};

/// Hands the events of a tree to those who subscribe while it runs. Thread-safe.
class EventHub final : public EventSink {
 public:
  /// Publishes an event about a reader: called on the thread that publishes, and may come back
  /// here.
  using Report = std::function<void(EventBody)>;
  explicit EventHub(const BackpressureSpec& backpressure = {},
                    Report report = [](const EventBody&) {})
      : backpressure_(backpressure), report_(std::move(report)) {}
  void publish(const Event& event) override;
  [[nodiscard]] EventSubscription subscribe(EventFilter filter, std::size_t capacity,
                                            std::string name = "subscription");
  /// Calls `wake` after every event, on the thread that published it, for as long as the result
  /// lives. It must be quick and must not come back here.
  [[nodiscard]] std::shared_ptr<void> on_event(std::function<void()> wake);
  /// No events come any more; later subscriptions are closed from the start.
  void close();

 private:
  void hand_out(const Event& event, std::vector<EventBody>& news);

  const BackpressureSpec backpressure_;
  const Report report_;
  std::atomic<bool> anybody_ = false;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::weak_ptr<EventSubscription::Queue>> queues_;
  std::vector<std::weak_ptr<std::function<void()>>> wakes_;
};

}  // namespace espalier::supervisor
