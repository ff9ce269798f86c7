#include "espalier/pipeline/core/internal/retry_heap.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

bool RetryHeap::later(const Entry& a, const Entry& b) {
  return a.due != b.due ? a.due > b.due : a.number > b.number;
}

void RetryHeap::push(TimePoint due, NodeId node, std::uint64_t group, Item item) {
  if (free_.empty()) {
    free_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  slots_[slot] = {std::move(item), node, group};
  heap_.push_back({due, pushed_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

RetryHeap::Waiting RetryHeap::free_slot(std::size_t slot) {
  free_.push_back(slot);
  return std::move(slots_[slot]);
}

std::optional<RetryHeap::Waiting> RetryHeap::pop_due(TimePoint now) {
  if (heap_.empty() || heap_.front().due > now) return std::nullopt;
  const auto slot = heap_.front().slot;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  heap_.pop_back();
  return free_slot(slot);
}

void RetryHeap::take_all(const std::function<bool(const Waiting&)>& wanted,
                         const std::function<void(Waiting)>& taken) {
  std::vector<Entry> gone;
  std::erase_if(heap_, [&](const Entry& e) {
    if (!wanted(slots_[e.slot])) return false;
    gone.push_back(e);
    return true;
  });
  std::make_heap(heap_.begin(), heap_.end(), later);
  std::sort(gone.begin(), gone.end(), [](const Entry& a, const Entry& b) { return later(b, a); });
  for (const auto& e : gone)
    taken(free_slot(e.slot));
}

}  // namespace espalier::pipeline
