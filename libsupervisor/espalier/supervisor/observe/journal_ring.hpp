#pragma once

#include "espalier/supervisor/core/event.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace espalier::supervisor {

struct EventPage {
  std::vector<Event> events = {};
  std::uint64_t next = 0;  ///< Where to read on.
  std::uint64_t lost = 0;  ///< Events before these that had gone already.
};

/// The last events of a tree, in memory, bounded: when full the oldest goes. Thread-safe.
class JournalRing final : public EventSink {
 public:
  explicit JournalRing(std::size_t capacity);
  void publish(const Event& event) override;
  /// At most `limit` events after sequence `after`, oldest first.
  [[nodiscard]] std::vector<Event> read(std::uint64_t after = 0,
                                        std::size_t limit = SIZE_MAX) const;
  [[nodiscard]] std::uint64_t dropped() const;  ///< Events that had to go.

  /// At most `limit` events from `position` on, in the order in which they came. A position counts
  /// all events that ever came, so a reader that goes on from `Page::next` misses nothing, or is
  /// told how many it missed. Cost: that of the page.
  [[nodiscard]] EventPage read_from(std::uint64_t position, std::size_t limit) const;
  /// Where the next event will stand.
  [[nodiscard]] std::uint64_t end() const;

 private:
  mutable std::mutex mutex_;
  std::size_t capacity_;
  std::vector<Event> ring_;
  std::size_t next_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace espalier::supervisor
