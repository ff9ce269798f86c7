#include "espalier/ipc/core/internal/event_followers.hpp"

#include "espalier/supervisor/observe/event_json.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace espalier::ipc::internal {

namespace {

using supervisor::Event;

// A reader in the past gets its next piece once less than this waits for it. It is asked again
// after a while, for nobody says when it has taken what it has.
constexpr std::size_t room_bytes = 32UL * 1024;
constexpr std::size_t piece = 32;
constexpr supervisor::Duration retry_after = std::chrono::milliseconds{2};

std::shared_ptr<const std::string> tail_of(const Event& event) {
  EventPush push;
  push.event.text.clear();
  append_json(push.event.text, event);
  return push_tail(push);
}

constexpr std::size_t full = 1000;
constexpr std::uint64_t most_left_out_in_silence = 1000;

bool has_room(const Follower& who) {
  return who.reader.outbox->bytes() < room_bytes && who.reader.outbox->fill() < full / 2;
}

}  // namespace

expected<Cursor, WireError> EventFollowers::add(Follower who, const EventsSubscribeParams& params,
                                                std::uint64_t released, supervisor::TimePoint now) {
  const auto fail = [](std::string message) {
    return unexpected<WireError>(invalid_params(std::move(message)));
  };
  if (params.from && params.replay) return fail("params: give from or replay, not both");
  auto filter = filter_of(params.filter);
  if (!filter) return unexpected<WireError>(filter.error());
  Entry entry{.who = std::move(who),
              .filter = std::move(*filter),
              .cursor = released,
              .backpressure = supervisor::Backpressure{backpressure_}};
  const auto epoch = target_.info().epoch;
  const KeptEvents kept{target_};
  if (params.from && params.from->epoch == epoch) {
    entry.cursor = params.from->sequence;
    if (const auto last = target_.generation(); entry.cursor > last) {
      return fail("params.from.sequence: the last event is " + std::to_string(last));
    }
  } else if (params.from) {
    entry.from_other_epoch = true;
    entry.cursor = 0;
  } else if (params.replay && *params.replay > 0) {
    const auto limit = std::min<std::uint64_t>(*params.replay, std::numeric_limits<int>::max());
    const auto found = kept.newest(entry.filter, released + 1, limit);
    if (!found.events.empty()) entry.cursor = found.events.front().sequence - 1;
  }
  if (entry.cursor < released || entry.from_other_epoch) {
    entry.position = kept.position_after(entry.cursor);
    retry_at_ = now;
  }
  const Cursor begin{epoch, entry.cursor};
  followers_.push_back(std::move(entry));
  return begin;
}

bool EventFollowers::remove(ConnectionId connection, const std::string& id) {
  return std::erase_if(followers_, [&](const Entry& x) {
           return x.who.reader.connection == connection && x.who.id == id;
         }) > 0;
}

void EventFollowers::close(ConnectionId connection) {
  std::erase_if(followers_, [&](const Entry& x) { return x.who.reader.connection == connection; });
}

bool EventFollowers::give(Entry& entry, const Event& event,
                          std::shared_ptr<const std::string>& tail) const {
  entry.cursor = event.sequence;
  if (!matches(entry.filter, event)) return false;
  if (!tail) tail = tail_of(event);
  entry.who.push("event", tail, event.sequence);
  return true;
}

bool EventFollowers::offer(Entry& entry, const Event& event, supervisor::TimePoint now,
                           std::shared_ptr<const std::string>& tail) {
  using supervisor::Backpressure;
  if (!matches(entry.filter, event)) return give(entry, event, tail);
  const auto verdict = entry.backpressure.offer(entry.who.reader.outbox->fill(), full, now);
  if (verdict.alert) {
    news_.add({.connection = entry.who.reader.connection,
               .subscription_id = entry.who.id,
               .alert = verdict.alert});
  }
  if (verdict.take == Backpressure::Take::block) {
    block(entry, now);
    return false;
  }
  const bool leave_out = verdict.take == Backpressure::Take::leave_out;
  const bool is_due = leave_out ? entry.left_out.count >= most_left_out_in_silence
                                : !entry.backpressure.is_limiting();
  const bool tells = is_due && entry.left_out.count != 0;
  if (tells) tell_left_out(entry);
  if (!leave_out) return give(entry, event, tail);
  entry.left_out.add(event.sequence);
  entry.cursor = event.sequence;
  return tells;
}

void EventFollowers::block(Entry& entry, supervisor::TimePoint now) {
  entry.position = KeptEvents{target_}.position_after(entry.cursor);
  if (!retry_at_) retry_at_ = now + retry_after;
}

void EventFollowers::tell_left_out(Entry& entry) {
  const auto what = std::exchange(entry.left_out, {});
  push_gap(entry.who, what.from, what.to, what.count, "sampled");
  news_.add({.connection = entry.who.reader.connection,
             .subscription_id = entry.who.id,
             .left_out = what});
}

void EventFollowers::deliver(const std::vector<OrderedItem>& items, supervisor::TimePoint now,
                             std::set<ConnectionId>& touched) {
  for (const auto& item : items) {
    std::shared_ptr<const std::string> tail;
    for (auto& entry : followers_) {
      if (entry.position) continue;
      const auto connection = entry.who.reader.connection;
      if (const auto* event = std::get_if<Event>(&item)) {
        if (event->sequence <= entry.cursor) continue;
        if (offer(entry, *event, now, tail)) touched.insert(connection);
      } else {
        const auto& gap = std::get<SequenceGap>(item);
        if (gap.to <= entry.cursor) continue;
        const auto from = std::max(gap.from, entry.cursor + 1);
        push_gap(entry.who, from, gap.to, gap.to - from + 1, "not_kept");
        entry.cursor = gap.to;
        touched.insert(connection);
      }
    }
  }
}

bool EventFollowers::step(Entry& entry, std::uint64_t released) {
  std::size_t pushed = 0;
  const auto before = entry.cursor;
  if (std::exchange(entry.from_other_epoch, false)) {
    push_gap(entry.who, 0, 0, 0, "other_epoch");
    ++pushed;
  }
  const auto tell_gap = [&](std::uint64_t to) {
    push_gap(entry.who, entry.cursor + 1, to, to - entry.cursor, "not_kept");
    entry.cursor = to;
    ++pushed;
  };
  const auto page = target_.events(*entry.position, KeptEvents::page_size);
  std::vector<const Event*> events;
  events.reserve(page.events.size());
  for (const auto& event : page.events)
    events.push_back(&event);
  std::ranges::sort(events, {}, [](const Event* x) { return x->sequence; });
  // Of a full page only the lower half is certain: lower numbers may stand in the next one.
  const bool is_last = page.events.size() < KeptEvents::page_size;
  const auto certain = is_last ? released : events[KeptEvents::slack]->sequence;
  const auto to = std::min(certain, released);
  for (const auto* event : events) {
    if (event->sequence > to || pushed >= piece) break;
    if (event->sequence <= entry.cursor) continue;
    if (event->sequence > entry.cursor + 1) tell_gap(event->sequence - 1);
    std::shared_ptr<const std::string> tail;
    if (give(entry, *event, tail)) ++pushed;
  }
  if (pushed < piece && certain >= released) {
    if (entry.cursor < released) tell_gap(released);
    entry.position.reset();
    return pushed > 0;
  }
  const auto first =
      std::ranges::find_if(page.events, [&](const Event& x) { return x.sequence > entry.cursor; });
  const auto next = page.next - static_cast<std::uint64_t>(page.events.end() - first);
  const bool stands = next == *entry.position && entry.cursor == before;
  entry.position = stands ? next + KeptEvents::slack : next;
  return pushed > 0;
}

void EventFollowers::catch_up(std::uint64_t released, supervisor::TimePoint now,
                              std::set<ConnectionId>& touched) {
  if (!retry_at_ || *retry_at_ > now) return;
  bool waits = false;
  for (auto& entry : followers_) {
    while (entry.position && has_room(entry.who)) {
      if (step(entry, released)) touched.insert(entry.who.reader.connection);
    }
    waits |= entry.position.has_value();
  }
  retry_at_.reset();
  if (waits) retry_at_ = now + retry_after;
}

void EventFollowers::finish(std::uint64_t released, std::set<ConnectionId>& touched) {
  for (auto& entry : followers_) {
    while (entry.position) {
      if (step(entry, released)) touched.insert(entry.who.reader.connection);
    }
    if (entry.left_out.count == 0) continue;
    tell_left_out(entry);
    touched.insert(entry.who.reader.connection);
  }
}

void EventFollowers::end(const std::string& reason, std::set<ConnectionId>& touched) {
  const auto tail = push_tail(EndPush{.reason = reason});
  for (const auto& entry : followers_) {
    entry.who.push("end", tail);
    touched.insert(entry.who.reader.connection);
  }
  followers_.clear();
}

std::optional<supervisor::TimePoint> EventFollowers::deadline() const {
  const bool waits =
      std::ranges::any_of(followers_, [](const Entry& x) { return x.position.has_value(); });
  return waits ? retry_at_ : std::nullopt;
}

}  // namespace espalier::ipc::internal
