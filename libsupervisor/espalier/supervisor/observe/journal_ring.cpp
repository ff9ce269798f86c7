#include "espalier/supervisor/observe/journal_ring.hpp"

#include <algorithm>

namespace espalier::supervisor {

JournalRing::JournalRing(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

void JournalRing::publish(const Event& event) {
  const std::scoped_lock lock{mutex_};
  if (ring_.size() < capacity_) {
    ring_.push_back(event);
    return;
  }
  ring_[next_] = event;  // Assigned, not replaced: the strings keep their memory.
  next_ = (next_ + 1) % capacity_;
  ++dropped_;
}

std::vector<Event> JournalRing::read(std::uint64_t after, std::size_t limit) const {
  std::vector<Event> out;
  const std::scoped_lock lock{mutex_};
  for (std::size_t i = 0; i < ring_.size() && out.size() < limit; ++i) {
    const auto& event = ring_[(next_ + i) % ring_.size()];
    if (event.sequence > after) out.push_back(event);
  }
  return out;
}

EventPage JournalRing::read_from(std::uint64_t position, std::size_t limit) const {
  const std::scoped_lock lock{mutex_};
  EventPage page;
  const auto end = dropped_ + ring_.size();
  const auto from = std::clamp(position, dropped_, end);
  page.lost = from > position ? from - position : 0;
  page.next = from + std::min<std::uint64_t>(limit, end - from);
  page.events.reserve(page.next - from);
  for (auto at = from; at < page.next; ++at) {
    page.events.push_back(ring_[(next_ + (at - dropped_)) % ring_.size()]);
  }
  return page;
}

std::uint64_t JournalRing::end() const {
  const std::scoped_lock lock{mutex_};
  return dropped_ + ring_.size();
}

std::uint64_t JournalRing::dropped() const {
  const std::scoped_lock lock{mutex_};
  return dropped_;
}

}  // namespace espalier::supervisor
