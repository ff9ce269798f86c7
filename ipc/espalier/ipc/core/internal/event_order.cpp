#include "espalier/ipc/core/internal/event_order.hpp"

#include <algorithm>
#include <utility>

namespace espalier::ipc::internal {

using supervisor::TimePoint;

void EventOrder::begin(std::uint64_t sequence) {
  held_.clear();
  released_ = sequence;
}

void EventOrder::add(supervisor::Event event, TimePoint now) {
  if (event.sequence <= released_) return;
  const auto sequence = event.sequence;
  held_.try_emplace(sequence, Held{std::move(event), now});
}

std::vector<OrderedItem> EventOrder::take(TimePoint now) {
  std::uint64_t expired = 0;
  for (const auto& [sequence, held] : held_) {
    if (now - held.since >= patience) expired = sequence;
  }
  if (held_.size() > most_held) expired = std::max(expired, held_.begin()->first);
  return take_to(expired);
}

std::vector<OrderedItem> EventOrder::take_all() {
  return take_to(held_.empty() ? 0 : held_.rbegin()->first);
}

std::vector<OrderedItem> EventOrder::take_to(std::uint64_t sequence) {
  std::vector<OrderedItem> result;
  while (!held_.empty()) {
    auto first = held_.begin();
    if (first->first != released_ + 1) {
      if (first->first > sequence) break;
      result.emplace_back(SequenceGap{released_ + 1, first->first - 1});
    }
    released_ = first->first;
    result.emplace_back(std::move(first->second.event));
    held_.erase(first);
  }
  return result;
}

std::optional<TimePoint> EventOrder::deadline() const {
  if (held_.empty()) return {};
  const auto oldest =
      std::ranges::min_element(held_, {}, [](const auto& entry) { return entry.second.since; });
  return oldest->second.since + patience;
}

}  // namespace espalier::ipc::internal
