#include "espalier/ipc/core/internal/kept_events.hpp"

#include "espalier/supervisor/observe/event_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace espalier::ipc::internal {

namespace {

constexpr std::uint64_t most_a_page = 1000;
constexpr std::uint64_t usual_page = 100;
constexpr auto last_sequence = std::numeric_limits<std::uint64_t>::max();

template <std::size_t... I>
std::array<const char*, sizeof...(I)> type_names(std::index_sequence<I...>) {
  return {supervisor::type_name(supervisor::EventBody{std::in_place_index<I>})...};
}

bool is_event_type(const std::string& word) {
  static const auto all =
      type_names(std::make_index_sequence<std::variant_size_v<supervisor::EventBody>>{});
  return std::ranges::find(all, word) != all.end();
}

void sort_by_sequence(std::vector<supervisor::Event>& events) {
  std::ranges::sort(events, {}, &supervisor::Event::sequence);
}

bool is_ours(const Cursor& cursor, const TargetInfo& target) {
  return cursor.epoch == target.epoch;
}

EventsPage page_of(const KeptEvents::Found& found) {
  EventsPage page;
  page.events.reserve(found.events.size());
  for (const auto& event : found.events)
    append_json(page.events.emplace_back(RawJson{""}).text, event);
  return page;
}

}  // namespace

std::uint64_t KeptEvents::first_sequence() const {
  const auto page = target_.events(0, slack);
  const auto first = std::ranges::min_element(page.events, {}, &supervisor::Event::sequence);
  return first == page.events.end() ? 0 : first->sequence;
}

std::uint64_t KeptEvents::position_after(std::uint64_t sequence) const {
  const auto begin = lost();
  auto low = begin;
  for (auto high = target_.events_end(); low < high;) {
    const auto middle = low + (high - low) / 2;
    const auto page = target_.events(middle, 1);
    if (!page.events.empty() && page.events.front().sequence <= sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > begin + slack ? low - slack : begin;
}

KeptEvents::Found KeptEvents::newest(const Filter& filter, std::uint64_t before,
                                     std::size_t limit) const {
  Found found;
  const auto begin = lost();
  auto to = target_.events_end();
  if (before != last_sequence) to = std::min(to, position_after(before) + 2 * slack);
  // One page more than would do, for those that came late.
  for (bool enough = false; to > begin;) {
    const auto from = to > begin + page_size ? to - page_size : begin;
    for (auto& event : target_.events(from, to - from).events) {
      if (event.sequence < before && matches(filter, event)) {
        found.events.push_back(std::move(event));
      }
    }
    to = from;
    if (std::exchange(enough, found.events.size() > limit)) break;
  }
  sort_by_sequence(found.events);
  found.more = found.events.size() > limit;
  if (found.more) {
    found.events.erase(found.events.begin(),
                       found.events.end() - static_cast<std::ptrdiff_t>(limit));
  }
  return found;
}

KeptEvents::Found KeptEvents::oldest(const Filter& filter, std::uint64_t after,
                                     std::size_t limit) const {
  Found found;
  auto from = position_after(after);
  const auto end = target_.events_end();
  for (bool enough = false; from < end;) {
    auto page = target_.events(from, page_size);
    for (auto& event : page.events) {
      if (event.sequence > after && matches(filter, event)) {
        found.events.push_back(std::move(event));
      }
    }
    from = page.next;
    if (std::exchange(enough, found.events.size() > limit)) break;
  }
  sort_by_sequence(found.events);
  found.more = found.events.size() > limit;
  if (found.more) found.events.resize(limit);
  return found;
}

WireError invalid_params(std::string message) {
  return {
      .code = ErrorCode::invalid_params, .stage = Stage::parameters, .message = std::move(message)};
}

expected<supervisor::EventFilter, WireError> path_filter(const std::optional<std::string>& path,
                                                         const char* field) {
  supervisor::EventFilter filter;
  if (!path || path->empty()) return filter;
  if (path->front() != '/' && path->front() != '*') {
    return unexpected<WireError>(invalid_params("params." + std::string{field} + ": '" + *path +
                                                "' is no path; paths begin with /, as /db"));
  }
  filter.path = *path;
  return filter;
}

expected<supervisor::EventFilter, WireError> filter_of(const std::optional<WireEventFilter>& wire) {
  if (!wire) return supervisor::EventFilter{};
  auto filter = path_filter(wire->path, "filter.path");
  if (!filter) return filter;
  for (const auto& type : wire->types.value_or(std::vector<std::string>{})) {
    if (is_event_type(type)) continue;
    return unexpected<WireError>(invalid_params("params.filter.types: no event is called '" + type +
                                                "'; docs/events.md has them all"));
  }
  if (wire->types) filter->types = *wire->types;
  if (wire->min_severity) filter->min_severity = *wire->min_severity;
  return filter;
}

expected<EventsPage, WireError> query_events(Target& target, const EventsQueryParams& params) {
  const auto fail = [](std::string message) {
    return unexpected<WireError>(invalid_params(std::move(message)));
  };
  const auto limit = params.limit.value_or(usual_page);
  if (limit < 1 || limit > most_a_page) return fail("params.limit: 1 to 1000 are possible");
  if (params.before && params.after) return fail("params: give before or after, not both");
  auto filter = filter_of(params.filter);
  if (!filter) return unexpected<WireError>(filter.error());
  const auto info = target.info();
  const KeptEvents kept{target};
  if (params.after) {
    const bool ours = is_ours(*params.after, info);
    const auto after = ours ? params.after->sequence : 0;
    const auto found = kept.oldest(*filter, after, limit);
    auto page = page_of(found);
    if (found.more) page.next = Cursor{info.epoch, found.events.back().sequence};
    page.complete = ours && (kept.lost() == 0 || kept.first_sequence() <= after + 1);
    return page;
  }
  // Nothing is kept of another run.
  if (params.before && !is_ours(*params.before, info)) return EventsPage{.complete = false};
  const auto before = params.before ? params.before->sequence : last_sequence;
  const auto found = kept.newest(*filter, before, limit);
  auto page = page_of(found);
  if (found.more) page.next = Cursor{info.epoch, found.events.front().sequence};
  page.complete = found.more || kept.lost() == 0;
  return page;
}

}  // namespace espalier::ipc::internal
