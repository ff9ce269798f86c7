#pragma once

#include "espalier/ipc/core/internal/event_order.hpp"
#include "espalier/ipc/core/internal/push_line.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/supervisor/runtime/event_subscription.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace espalier::ipc::internal {

/// Lines of children and of their supervisors, in one stream by time: what is kept, and what comes.
class LogFollowers {
 public:
  explicit LogFollowers(Target& target) : target_(target) {}

  /// The last lines. With `follow` it goes on with what comes after `released` and after them.
  [[nodiscard]] expected<LogsTailResult, WireError> add(Follower who, const LogsTailParams& params,
                                                        std::uint64_t released);
  [[nodiscard]] bool remove(ConnectionId connection, const std::string& id);
  void close(ConnectionId connection);
  [[nodiscard]] bool empty() const { return followers_.empty(); }

  /// Hands out what the live feed gave and the lines that have come since.
  void deliver(const std::vector<OrderedItem>& items, std::set<ConnectionId>& touched);
  /// Everybody, for the last line.
  void end(const std::string& reason, std::set<ConnectionId>& touched);

 private:
  struct Entry {
    Follower who = {};
    supervisor::EventFilter filter = {};
    std::uint64_t after_event = 0;
    std::uint64_t from_line = 0;
  };
  [[nodiscard]] std::vector<LogLine> kept_lines(const supervisor::EventFilter& filter,
                                                std::uint64_t to, std::size_t limit);
  void tell_gaps(const std::vector<OrderedItem>& items, const LinePage& page,
                 std::set<ConnectionId>& touched) const;
  Target& target_;
  std::vector<Entry> followers_ = {};
  std::uint64_t position_ = 0;
};

}  // namespace espalier::ipc::internal
