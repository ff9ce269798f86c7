#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace espalier::ipc::internal {

/// Sequences that will not come any more, both ends included.
struct SequenceGap {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};
using OrderedItem = std::variant<supervisor::Event, SequenceGap>;

/// Puts events in the order of their sequences. Several supervisors publish at once, so an event
/// may come a little before one with a lower number; it waits for that one, but not for longer than
/// `patience`, nor where more than `most_held` wait; then the hole is told and what comes into it
/// later is not taken any more. The patience is for a machine so busy that a supervisor is
/// interrupted between the number of its event and the event.
///
/// So what is taken out never goes back, names every sequence once, and none is skipped in silence.
class EventOrder {
 public:
  static constexpr supervisor::Duration patience = std::chrono::seconds{1};
  static constexpr std::size_t most_held = 1024;

  /// Begins after `sequence`; forgets what it holds.
  void begin(std::uint64_t sequence);
  void add(supervisor::Event event, supervisor::TimePoint now);
  /// What can go on, in order.
  [[nodiscard]] std::vector<OrderedItem> take(supervisor::TimePoint now);
  /// All that is held: nothing more will come.
  [[nodiscard]] std::vector<OrderedItem> take_all();
  /// The last sequence that was taken or told as missing.
  [[nodiscard]] std::uint64_t released() const { return released_; }
  /// When an event will have waited long enough.
  [[nodiscard]] std::optional<supervisor::TimePoint> deadline() const;

 private:
  struct Held {
    supervisor::Event event = {};
    supervisor::TimePoint since = {};
  };
  /// Takes all up to `sequence` and what follows on without a hole.
  std::vector<OrderedItem> take_to(std::uint64_t sequence);
  std::map<std::uint64_t, Held> held_ = {};
  std::uint64_t released_ = 0;
};

}  // namespace espalier::ipc::internal
