#include "espalier/ipc/core/internal/state_followers.hpp"

#include "espalier/ipc/core/internal/kept_events.hpp"

#include <algorithm>
#include <utility>

namespace espalier::ipc::internal {

namespace {

using supervisor::Duration;
using supervisor::TimePoint;

constexpr std::uint64_t least_interval = 50;
constexpr std::uint64_t longest_interval = 3'600'000;
constexpr std::uint64_t usual_interval = 1000;

// Readers of the same interval are due together, in at most four groups: a text serves a group.
TimePoint first_due(TimePoint now, Duration interval) {
  const Duration grid = interval / 4;
  const auto rest = (now + interval).time_since_epoch() % grid;
  return rest == Duration::zero() ? now + interval : now + interval + (grid - rest);
}

}  // namespace

expected<StateWant, WireError> want_of(const std::optional<std::string>& path,
                                       std::optional<std::uint64_t> depth,
                                       const std::optional<std::vector<std::string>>& include) {
  StateWant want{.depth = depth};
  if (path && !path->empty()) want.path = *path;
  for (const auto& word : include.value_or(std::vector<std::string>{})) {
    if (word != "resources") {
      std::string message = "params.include: '";
      message.append(word).append("' is not known; there is: resources");
      return unexpected<WireError>(invalid_params(std::move(message)));
    }
    want.resources = true;
  }
  return want;
}

expected<std::string, WireError> StateFollowers::add(Follower who,
                                                     const StateSubscribeParams& params,
                                                     TimePoint now, Timestamp wall) {
  auto want = want_of(params.path, params.depth, params.include);
  if (!want) return unexpected<WireError>(want.error());
  const auto interval = params.interval_ms.value_or(usual_interval);
  if (interval < least_interval || interval > longest_interval) {
    return unexpected<WireError>(invalid_params("params.interval_ms: 50 to 3600000 are possible"));
  }
  const auto text = texts_.get(*want, now, wall);
  if (!text) return unexpected<WireError>(text.error());
  Entry entry{.who = std::move(who), .want = std::move(*want)};
  entry.mode = params.mode.value_or(StateMode::snapshot);
  entry.interval = std::chrono::milliseconds{interval};
  entry.due = first_due(now, entry.interval);
  entry.mark = (*text)->mark;
  if (entry.mode == StateMode::delta) entry.marks = texts_.marks_of(*text);
  entry.dropped = entry.who.reader.outbox->dropped();
  std::string result = R"({"subscription_id":")";
  result += entry.who.id;
  result += R"(","snapshot":)";
  result += *(*text)->tail;
  followers_.push_back(std::move(entry));
  return result;
}

bool StateFollowers::remove(ConnectionId connection, const std::string& id) {
  return std::erase_if(followers_, [&](const Entry& x) {
           return x.who.reader.connection == connection && x.who.id == id;
         }) > 0;
}

void StateFollowers::close(ConnectionId connection) {
  std::erase_if(followers_, [&](const Entry& x) { return x.who.reader.connection == connection; });
}

void StateFollowers::send_whole(Entry& entry, const StateTexts::Ptr& text) {
  auto& outbox = *entry.who.reader.outbox;
  outbox.drop(entry.who.id);  // What it replaces.
  entry.dropped = outbox.dropped();
  auto head = push_head("snapshot", entry.who.id);
  head += R"(,"snapshot":)";
  outbox.push(entry.who.id, std::move(head), text->tail, 0);
  if (entry.mode == StateMode::delta) entry.marks = texts_.marks_of(text);
}

void StateFollowers::step(Entry& entry, TimePoint now, Timestamp wall,
                          std::set<ConnectionId>& touched) {
  const bool lost = entry.who.reader.outbox->dropped() != entry.dropped;
  if (!lost && !entry.want.resources && texts_.mark() == entry.mark) return;
  auto& shared = round_[entry.want];
  if (!shared) shared = texts_.get(entry.want, now, wall);
  const auto& text = *shared;
  if (!text) {
    entry.who.push("end", push_tail(EndPush{.reason = text.error().message}));
    entry.ended = true;
    touched.insert(entry.who.reader.connection);
    return;
  }
  entry.mark = (*text)->mark;
  if (lost || entry.mode == StateMode::snapshot) {
    send_whole(entry, *text);
  } else if (auto tail = texts_.delta(entry.marks, *text)) {
    entry.dropped = entry.who.reader.outbox->dropped();
    entry.who.push("state_delta", std::move(tail));
    entry.marks = texts_.marks_of(*text);
  } else {
    return;
  }
  touched.insert(entry.who.reader.connection);
}

StateFollowers::Ended StateFollowers::tick(TimePoint now, Timestamp wall,
                                           std::set<ConnectionId>& touched) {
  Ended ended;
  for (auto& entry : followers_) {
    if (entry.due > now) continue;
    step(entry, now, wall, touched);
    if (entry.ended) ended.emplace_back(entry.who.reader.connection, entry.who.id);
    entry.due += entry.interval;
    if (entry.due <= now) entry.due = first_due(now, entry.interval);
  }
  std::erase_if(followers_, [](const Entry& x) { return x.ended; });
  round_.clear();
  return ended;
}

void StateFollowers::end(const std::string& reason, TimePoint now, Timestamp wall,
                         std::set<ConnectionId>& touched) {
  const auto tail = push_tail(EndPush{.reason = reason});
  for (auto& entry : followers_) {
    step(entry, now, wall, touched);
    if (!entry.ended) entry.who.push("end", tail);
    touched.insert(entry.who.reader.connection);
  }
  followers_.clear();
  round_.clear();
}

std::optional<TimePoint> StateFollowers::deadline() const {
  const auto next = std::ranges::min_element(followers_, {}, &Entry::due);
  if (next == followers_.end()) return {};
  return next->due;
}

}  // namespace espalier::ipc::internal
