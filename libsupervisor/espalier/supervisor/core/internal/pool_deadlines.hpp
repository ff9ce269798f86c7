#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// One deadline per slot, the earliest first, for slots that become more. Every entry knows its
/// place, so a disarmed one is taken out and nothing has to be cleared away later: O(log armed) an
/// operation, whatever the number of slots.
class PoolDeadlines {
 public:
  void grow(std::size_t slots) { place_.resize(slots, nowhere); }

  void arm(std::uint32_t slot, TimePoint at) {
    if (place_[slot] == nowhere) {
      place_[slot] = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back({at, slot});
    } else {
      heap_[place_[slot]].at = at;
    }
    rise(place_[slot]);
    sink(place_[slot]);
  }

  void disarm(std::uint32_t slot) {
    const auto place = std::exchange(place_[slot], nowhere);
    if (place == nowhere) return;
    const auto last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    put(place, last);
    rise(place);
    sink(place_[last.slot]);
  }

  [[nodiscard]] std::optional<TimePoint> at(std::uint32_t slot) const {
    if (place_[slot] == nowhere) return std::nullopt;
    return heap_[place_[slot]].at;
  }
  [[nodiscard]] std::optional<TimePoint> next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
  }
  /// Takes out one slot that is due at `now`; the earliest, the lowest slot among equals.
  [[nodiscard]] std::optional<std::uint32_t> pop_due(TimePoint now) {
    if (heap_.empty() || heap_.front().at > now) return std::nullopt;
    const auto slot = heap_.front().slot;
    disarm(slot);
    return slot;
  }
  [[nodiscard]] std::size_t armed() const { return heap_.size(); }

 private:
  static constexpr auto nowhere = std::numeric_limits<std::uint32_t>::max();

  struct Entry {
    TimePoint at = {};
    std::uint32_t slot = 0;
    bool operator<(const Entry& other) const {
      return at != other.at ? at < other.at : slot < other.slot;
    }
  };

  void put(std::size_t place, Entry entry) {
    heap_[place] = entry;
    place_[entry.slot] = static_cast<std::uint32_t>(place);
  }
  void rise(std::size_t place) {
    const auto entry = heap_[place];
    for (; place > 0 && entry < heap_[(place - 1) / 2]; place = (place - 1) / 2)
      put(place, heap_[(place - 1) / 2]);
    put(place, entry);
  }
  void sink(std::size_t place) {
    const auto entry = heap_[place];
    for (auto child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
      if (!(heap_[child] < entry)) break;
      put(place, heap_[child]);
      place = child;
    }
    put(place, entry);
  }

  std::vector<std::uint32_t> place_;  ///< By slot.
  std::vector<Entry> heap_;
};

}  // namespace espalier::supervisor
