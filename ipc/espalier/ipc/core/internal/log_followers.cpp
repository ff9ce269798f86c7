#include "espalier/ipc/core/internal/log_followers.hpp"

#include "espalier/ipc/core/internal/kept_events.hpp"

#include <algorithm>
#include <utility>

namespace espalier::ipc::internal {

namespace {

using supervisor::Event;
using supervisor::EventFilter;

constexpr std::uint64_t most_lines = 1000;
constexpr std::uint64_t usual_lines = 20;
constexpr std::size_t lines_a_page = 512;

// Paths of lines follow the rule of events.
class PathRule {
 public:
  bool fits(const EventFilter& filter, const std::string& path) {
    if (filter.path == "/") return true;
    path_only_.path = filter.path;
    probe_.path = path;
    return matches(path_only_, probe_);
  }

 private:
  EventFilter path_only_ = {};
  Event probe_ = {};
};

LogLine line_of(const Event& event) {
  return {.at = event.at,
          .path = event.path,
          .generation = event.generation,
          .stream = LogStream::supervisor,
          .level = supervisor::severity_of(event.body),
          .message = supervisor::describe(event.body, event.path)};
}

// One line of what has come: an event's or a child's.
struct Fresh {
  LogLine line = {};
  const Event* event = nullptr;  ///< Null: a child's.
  std::uint64_t position = 0;    ///< Of a child's.
};

std::vector<Fresh> fresh_lines(const std::vector<OrderedItem>& items, LinePage& page) {
  std::vector<Fresh> fresh;
  fresh.reserve(items.size() + page.lines.size());
  for (const auto& item : items) {
    if (const auto* event = std::get_if<Event>(&item)) fresh.push_back({line_of(*event), event});
  }
  for (auto& kept : page.lines)
    fresh.push_back({std::move(kept.line), nullptr, kept.position});
  std::ranges::stable_sort(fresh, {}, [](const Fresh& x) { return x.line.at; });
  return fresh;
}

}  // namespace

std::vector<LogLine> LogFollowers::kept_lines(const EventFilter& filter, std::uint64_t to,
                                              std::size_t limit) {
  std::vector<LogLine> newest_first;
  PathRule rule;
  const auto begin = target_.lines(0, 0).lost;
  while (to > begin && newest_first.size() < limit) {
    const auto from = to > begin + lines_a_page ? to - lines_a_page : begin;
    auto page = target_.lines(from, to - from);
    for (auto kept = page.lines.rbegin(); kept != page.lines.rend(); ++kept) {
      if (newest_first.size() == limit) break;
      if (rule.fits(filter, kept->line.path)) newest_first.push_back(std::move(kept->line));
    }
    to = from;
  }
  std::ranges::reverse(newest_first);
  return newest_first;
}

expected<LogsTailResult, WireError> LogFollowers::add(Follower who, const LogsTailParams& params,
                                                      std::uint64_t released) {
  auto filter = path_filter(params.path, "path");
  if (!filter) return unexpected<WireError>(filter.error());
  filter->min_severity = params.level.value_or(supervisor::Severity::info);
  const auto limit = params.lines.value_or(usual_lines);
  if (limit > most_lines) {
    return unexpected<WireError>(invalid_params("params.lines: 0 to 1000 are possible"));
  }
  const auto end = target_.lines_end();
  LogsTailResult result{.lines = kept_lines(*filter, end, limit)};
  for (const auto& event : KeptEvents{target_}.newest(*filter, released + 1, limit).events)
    result.lines.push_back(line_of(event));
  std::ranges::stable_sort(result.lines, {}, &LogLine::at);
  if (result.lines.size() > limit) {
    result.lines.erase(result.lines.begin(),
                       result.lines.end() - static_cast<std::ptrdiff_t>(limit));
  }
  if (!params.follow.value_or(false)) return result;
  if (followers_.empty()) position_ = end;
  result.subscription_id = who.id;
  followers_.push_back({std::move(who), std::move(*filter), released, end});
  return result;
}

bool LogFollowers::remove(ConnectionId connection, const std::string& id) {
  return std::erase_if(followers_, [&](const Entry& x) {
           return x.who.reader.connection == connection && x.who.id == id;
         }) > 0;
}

void LogFollowers::close(ConnectionId connection) {
  std::erase_if(followers_, [&](const Entry& x) { return x.who.reader.connection == connection; });
}

void LogFollowers::tell_gaps(const std::vector<OrderedItem>& items, const LinePage& page,
                             std::set<ConnectionId>& touched) const {
  for (const auto& entry : followers_) {
    for (const auto& item : items) {
      const auto* gap = std::get_if<SequenceGap>(&item);
      if (!gap || gap->to <= entry.after_event) continue;
      const auto from = std::max(gap->from, entry.after_event + 1);
      push_gap(entry.who, from, gap->to, gap->to - from + 1, "not_kept");
      touched.insert(entry.who.reader.connection);
    }
    const auto lost_from = std::max(position_, entry.from_line);
    const auto lost_to = position_ + page.lost;
    if (page.lost == 0 || lost_to <= lost_from) continue;
    push_gap(entry.who, 0, 0, lost_to - lost_from, "not_kept");
    touched.insert(entry.who.reader.connection);
  }
}

void LogFollowers::deliver(const std::vector<OrderedItem>& items, std::set<ConnectionId>& touched) {
  if (followers_.empty()) return;
  const auto end = target_.lines_end();
  auto page = target_.lines(position_, end > position_ ? end - position_ : 0);
  tell_gaps(items, page, touched);
  position_ = page.next;
  PathRule rule;
  for (auto& fresh : fresh_lines(items, page)) {
    std::shared_ptr<const std::string> tail;
    for (const auto& entry : followers_) {
      const bool wanted =
          fresh.event
              ? fresh.event->sequence > entry.after_event && matches(entry.filter, *fresh.event)
              : fresh.position >= entry.from_line && rule.fits(entry.filter, fresh.line.path);
      if (!wanted) continue;
      if (!tail) tail = push_tail(LogPush{.line = fresh.line});
      entry.who.push("log", tail);
      touched.insert(entry.who.reader.connection);
    }
  }
}

void LogFollowers::end(const std::string& reason, std::set<ConnectionId>& touched) {
  const auto tail = push_tail(EndPush{.reason = reason});
  for (const auto& entry : followers_) {
    entry.who.push("end", tail);
    touched.insert(entry.who.reader.connection);
  }
  followers_.clear();
}

}  // namespace espalier::ipc::internal
