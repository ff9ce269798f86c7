#include "espalier/ipc/core/internal/event_feed.hpp"

#include "espalier/ipc/core/internal/kept_events.hpp"

#include <algorithm>

namespace espalier::ipc::internal {

// Some of the events with the highest numbers may still be on their way: what came last is looked
// at again to know which.
void EventFeed::start(supervisor::TimePoint now) {
  running_ = true;
  const auto end = target_.events_end();
  position_ = end > KeptEvents::slack ? end - KeptEvents::slack : 0;
  const auto page = target_.events(position_, KeptEvents::slack);
  const bool from_the_first = position_ == 0 && page.lost == 0;
  const auto first = std::ranges::min_element(page.events, {}, &supervisor::Event::sequence);
  if (from_the_first) {
    order_.begin(0);
  } else {
    order_.begin(first == page.events.end() ? target_.generation() : first->sequence - 1);
  }
  static_cast<void>(read(now));
}

void EventFeed::fetch(supervisor::TimePoint now) {
  // Up to where it ended at first: whoever publishes without a pause must not keep us here.
  for (const auto end = target_.events_end(); position_ < end;) {
    auto page = target_.events(position_, KeptEvents::page_size);
    if (page.next == position_) break;
    position_ = page.next;
    for (auto& event : page.events)
      order_.add(std::move(event), now);
  }
}

std::vector<OrderedItem> EventFeed::read(supervisor::TimePoint now) {
  fetch(now);
  return order_.take(now);
}

std::vector<OrderedItem> EventFeed::read_all(supervisor::TimePoint now) {
  fetch(now);
  return order_.take_all();
}

std::optional<supervisor::TimePoint> EventFeed::deadline() const {
  return running_ ? order_.deadline() : std::nullopt;
}

}  // namespace espalier::ipc::internal
