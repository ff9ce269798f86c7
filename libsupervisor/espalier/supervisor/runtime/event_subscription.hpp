#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Which events to hear. All three must fit.
struct EventFilter {
  /// A node and all below it; or a pattern, see core/path_pattern.hpp.
  std::string path = "/";
  std::vector<std::string> types = {};  ///< Words as of `type_name`; empty: all.
  Severity min_severity = Severity::debug;
};

[[nodiscard]] bool matches(const EventFilter& filter, const Event& event);

/// Events of a tree, waiting for one reader. A reader that is too slow loses the newest events and
/// is told how many; the tree never waits for it. Copies share one queue; dropping the last ends
/// the subscription.
///
/// Thread rule: every member may be called from any thread.
class EventSubscription {
 public:
  /// The next event; empty: none came in time, or none will come any more (`closed`).
  [[nodiscard]] std::optional<Event> next(Duration limit) const;
  /// Events lost so far because the queue was full.
  [[nodiscard]] std::uint64_t dropped() const;
  /// True once the tree has ended or `close` was called; what is in the queue can still be read.
  [[nodiscard]] bool closed() const;
  void close() const;

  class Queue;
  explicit EventSubscription(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}

 private:
  std::shared_ptr<Queue> queue_;
};

}  // namespace espalier::supervisor
