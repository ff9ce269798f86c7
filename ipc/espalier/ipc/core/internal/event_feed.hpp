#pragma once

#include "espalier/ipc/core/internal/event_order.hpp"
#include "espalier/ipc/core/target.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::ipc::internal {

/// The events of a target as they come, in order, once for all readers. Off until somebody follows.
class EventFeed {
 public:
  explicit EventFeed(Target& target) : target_(target) {}

  /// Begins with what comes from now on.
  void start(supervisor::TimePoint now);
  void stop() { running_ = false; }
  [[nodiscard]] bool running() const { return running_; }
  /// What has come since, in order, and holes.
  [[nodiscard]] std::vector<OrderedItem> read(supervisor::TimePoint now);
  /// The same, and what waited for a lower number too.
  [[nodiscard]] std::vector<OrderedItem> read_all(supervisor::TimePoint now);
  /// The last sequence that was read or told as missing. Who begins to follow begins after it.
  [[nodiscard]] std::uint64_t released() const { return order_.released(); }
  [[nodiscard]] std::optional<supervisor::TimePoint> deadline() const;

 private:
  void fetch(supervisor::TimePoint now);
  Target& target_;
  EventOrder order_ = {};
  std::uint64_t position_ = 0;
  bool running_ = false;
};

}  // namespace espalier::ipc::internal
