#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace espalier::testing {

/// Keeps the events of a running tree and waits for them, so that a test of a real tree sleeps no
/// longer than it must. Give it to the tree in SupervisorOptions::events.
///
///     auto events = std::make_shared<EventWaiter>();
///     auto handle = Supervisor::start(spec, factories, {.events = {events}});
///     ASSERT_TRUE(events->wait_until_ready("/db"));
///
/// Each wait looks at past events too, from where the last successful one left off, so none is
/// missed between two waits. Thread rule: any thread may publish; one thread waits.
class EventWaiter final : public supervisor::EventSink {
 public:
  using Predicate = std::function<bool(const supervisor::Event&)>;
  static constexpr supervisor::Duration default_timeout = std::chrono::seconds{10};

  void publish(const supervisor::Event& event) override;

  /// The next event the predicate accepts; none: it did not come in time. The predicate may not
  /// call the waiter.
  std::optional<supervisor::Event> wait_for(const Predicate& predicate,
                                            supervisor::Duration timeout = default_timeout);
  /// The next event of that type ("child_exited") about that path; an empty one fits all.
  std::optional<supervisor::Event> wait_for(const std::string& type, const std::string& path,
                                            supervisor::Duration timeout = default_timeout);
  /// Waits until a child is ready, or a supervisor and all that it starts.
  bool wait_until_ready(const std::string& path, supervisor::Duration timeout = default_timeout);

  [[nodiscard]] std::vector<supervisor::Event> events() const;
  /// One line an event: for the message of a failing test.
  [[nodiscard]] std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<supervisor::Event> events_;
  std::size_t looked_at_ = 0;
};

}  // namespace espalier::testing
