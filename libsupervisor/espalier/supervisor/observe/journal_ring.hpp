#pragma once

#include "espalier/supervisor/core/event.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace espalier::supervisor {

/// The last events of a tree, in memory, bounded: when full the oldest goes. Thread-safe.
class JournalRing final : public EventSink {
 public:
  explicit JournalRing(std::size_t capacity);
  void publish(const Event& event) override;
  /// At most `limit` events after sequence `after`, oldest first.
  [[nodiscard]] std::vector<Event> read(std::uint64_t after = 0,
                                        std::size_t limit = SIZE_MAX) const;
  [[nodiscard]] std::uint64_t dropped() const;  ///< Events that had to go.

 private:
  mutable std::mutex mutex_;
  std::size_t capacity_;
  std::vector<Event> ring_;
  std::size_t next_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace espalier::supervisor
