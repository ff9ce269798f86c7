#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::supervisor {

/// One deadline per slot, the earliest first. Arming and disarming are O(log n) amortised: an
/// entry that was replaced stays in the heap until it surfaces or the stale ones outnumber the
/// rest, when the heap is rebuilt.
class DeadlineHeap {
 public:
  explicit DeadlineHeap(std::size_t slots) : due_(slots) {}

  /// Slots only become more.
  void grow(std::size_t slots) { due_.resize(std::max(slots, due_.size())); }

  void arm(std::uint32_t slot, TimePoint at) {
    if (!due_[slot]) ++armed_;
    due_[slot] = at;
    heap_.push_back({at, slot});
    std::push_heap(heap_.begin(), heap_.end(), later);
    if (heap_.size() > 2 * armed_ + 64) rebuild();
  }

  void disarm(std::uint32_t slot) {
    if (!due_[slot]) return;
    due_[slot].reset();
    --armed_;
  }

  [[nodiscard]] std::optional<TimePoint> at(std::uint32_t slot) const { return due_[slot]; }

  [[nodiscard]] std::optional<TimePoint> next() {
    drop_stale();
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
  }

  /// Takes out one slot that is due at `now`; the earliest, the lowest slot among equals.
  [[nodiscard]] std::optional<std::uint32_t> pop_due(TimePoint now) {
    drop_stale();
    if (heap_.empty() || heap_.front().at > now) return std::nullopt;
    const auto slot = heap_.front().slot;
    disarm(slot);
    return slot;
  }

 private:
  struct Entry {
    TimePoint at = {};
    std::uint32_t slot = 0;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at > b.at : a.slot > b.slot;
  }
  void drop_stale() {
    while (!heap_.empty() && due_[heap_.front().slot] != heap_.front().at) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
    }
  }
  // Looks at the heap alone: slots that are not armed cost nothing.
  void rebuild() {
    std::erase_if(heap_, [&](const Entry& entry) { return due_[entry.slot] != entry.at; });
    std::sort(heap_.begin(), heap_.end(), [](const auto& a, const auto& b) { return later(b, a); });
    const auto same = [](const auto& a, const auto& b) { return a.at == b.at && a.slot == b.slot; };
    heap_.erase(std::unique(heap_.begin(), heap_.end(), same), heap_.end());
  }

  std::vector<std::optional<TimePoint>> due_;
  std::vector<Entry> heap_;
  std::size_t armed_ = 0;
};

}  // namespace espalier::supervisor
