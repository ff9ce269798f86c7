#include "espalier/ipc/core/internal/state_texts.hpp"

#include "espalier/ipc/core/internal/push_line.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>

namespace espalier::ipc::internal {

namespace {

constexpr supervisor::Duration text_lifetime = std::chrono::seconds{1};
constexpr supervisor::Duration resources_lifetime = std::chrono::milliseconds{50};
constexpr std::size_t most_texts = 8;
// Clocks that drift apart less than this count as going together.
constexpr std::chrono::nanoseconds clock_step = std::chrono::milliseconds{100};
constexpr std::size_t stages_looked_at = 512;

WireError wire_error(const supervisor::Error& error) {
  const bool missing = error.code == supervisor::Error::Code::not_found;
  return {.code = missing ? ErrorCode::not_found : ErrorCode::internal,
          .stage = Stage::execution,
          .message = error.message};
}

// A node's text begins with its path, whatever else is in it.
std::string_view path_of(std::string_view node) {
  constexpr std::string_view before = R"({"path":)";
  auto end = before.size() + 1;
  while (end < node.size() && node[end] != '"')
    end += node[end] == '\\' ? 2 : 1;
  return node.substr(before.size(), end + 1 - before.size());
}

std::string_view node_of(const StateText& text, const SnapshotText::Slice& slice) {
  return std::string_view{*text.tail}.substr(slice.begin, slice.end - slice.begin);
}

std::uint64_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

void append_element(std::string& array, std::string_view element) {
  if (array.size() > 1) array += ',';
  array += element;
}

// StateDeltaPush with nodes that are texts already.
struct DeltaView {
  std::string type = "state_delta";
  std::string subscription_id = {};
  std::uint64_t from_generation = 0;
  std::uint64_t to_generation = 0;
  std::string state = {};
  RawJson changed = {"["};
  RawJson removed = {"["};
  std::map<std::string, std::uint64_t> counts = {};
  static void describe(auto& self, auto& visit) { StateDeltaPush::describe(self, visit); }
};

}  // namespace

std::chrono::nanoseconds StateTexts::offset(supervisor::TimePoint now, Timestamp wall) {
  const std::chrono::nanoseconds offset = wall.time_since_epoch() - now.time_since_epoch();
  if (!offset_ || std::chrono::abs(offset - *offset_) >= clock_step) offset_ = offset;
  return *offset_;
}

std::optional<ShutdownInfo> StateTexts::shutdown_info(const supervisor::HealthReport& health,
                                                      const supervisor::PhaseCounts& counts) {
  if (health.state != supervisor::HealthReport::State::stopping) return {};
  ShutdownInfo info{.phase = to_string(supervisor::ShutdownStage::request_stop),
                    .remaining = remaining_of(counts)};
  const auto end = target_.events_end();
  const auto from = end > stages_looked_at ? end - stages_looked_at : 0;
  for (const auto& event : target_.events(from, stages_looked_at).events) {
    const auto* reached = std::get_if<supervisor::events::ShutdownStageReached>(&event.body);
    if (reached && event.path == "/") info.phase = to_string(reached->stage);
  }
  return info;
}

bool StateTexts::is_fresh(const StateWant& want, const StateText& text, supervisor::TimePoint now) {
  const auto lifetime = want.resources ? resources_lifetime : text_lifetime;
  return text.mark == mark() && now - text.made_at < lifetime;
}

expected<StateTexts::Ptr, WireError> StateTexts::get(const StateWant& want,
                                                     supervisor::TimePoint now, Timestamp wall) {
  const auto found = texts_.find(want);
  if (found != texts_.end() && is_fresh(want, *found->second, now)) return found->second;
  std::erase_if(texts_, [&](const auto& x) { return now - x.second->made_at >= text_lifetime; });
  auto made = make(want, now, wall);
  if (!made) return made;
  if (texts_.size() >= most_texts) texts_.clear();
  texts_[want] = *made;
  return made;
}

expected<StateTexts::Ptr, WireError> StateTexts::make(const StateWant& want,
                                                      supervisor::TimePoint now, Timestamp wall) {
  auto result = std::make_shared<StateText>();
  result->mark = mark();
  result->made_at = now;
  supervisor::StateQuery query{.path = want.path};
  constexpr auto deepest = std::numeric_limits<std::uint32_t>::max();
  if (want.depth) {
    query.depth = static_cast<std::uint32_t>(std::min<std::uint64_t>(*want.depth, deepest));
  }
  const auto tree = target_.state(query);
  if (!tree) return unexpected<WireError>(wire_error(tree.error()));
  const auto info = target_.info();
  const auto health = target_.health();
  SnapshotSource source{.target = info, .tree = *tree, .health = health, .generated_at = wall};
  source.wall_offset = offset(now, wall);
  source.dropped = {target_.events(0, 0).lost, target_.lines(0, 0).lost};
  source.shutdown = shutdown_info(health, tree->counts);
  if (want.resources) {
    source.resources = [this](std::int64_t pid) { return target_.resources(pid); };
  }
  SnapshotText text;
  append_snapshot(text, source);
  text.text += '}';
  result->generation = tree->sequence;
  result->tail = std::make_shared<const std::string>(std::move(text.text));
  result->nodes = std::move(text.nodes);
  result->state = to_string(health.state);
  result->counts = counts_of(tree->counts);
  return result;
}

StateTexts::Marks StateTexts::marks_of(const Ptr& text) {
  if (last_marks_.first == text) return last_marks_.second;
  auto marks = std::make_shared<StateMarks>();
  marks->generation = text->generation;
  marks->rows.reserve(text->nodes.size());
  for (const auto& slice : text->nodes) {
    const auto node = node_of(*text, slice);
    const auto begin = marks->paths.size();
    marks->paths += path_of(node);
    marks->rows.push_back({begin, marks->paths.size(), hash_of(node)});
  }
  std::string rest = text->state;
  for (const auto& [word, count] : text->counts)
    rest += ' ' + std::to_string(count);
  marks->rest = hash_of(rest);
  last_marks_ = {text, std::move(marks)};
  return last_marks_.second;
}

std::shared_ptr<const std::string> StateTexts::delta(const Marks& from, const Ptr& to) {
  if (last_delta_.from == from && last_delta_.to == to) return last_delta_.tail;
  const auto now = marks_of(to);
  std::unordered_map<std::string_view, std::uint64_t> before;
  before.reserve(from->rows.size());
  for (const auto& row : from->rows)
    before.emplace(from->path(row), row.hash);
  DeltaView view{.from_generation = from->generation, .to_generation = to->generation};
  for (std::size_t i = 0; i < now->rows.size(); ++i) {
    const auto& row = now->rows[i];
    const auto old = before.find(now->path(row));
    const bool same = old != before.end() && old->second == row.hash;
    if (old != before.end()) before.erase(old);
    if (!same) append_element(view.changed.text, node_of(*to, to->nodes[i]));
  }
  for (const auto& row : from->rows) {  // In their old order.
    if (before.contains(from->path(row))) append_element(view.removed.text, from->path(row));
  }
  last_delta_ = {from, to, {}};
  const bool nothing = view.changed.text == "[" && view.removed.text == "[";
  if (nothing && from->rest == now->rest) return {};
  view.changed.text += ']';
  view.removed.text += ']';
  view.state = to->state;
  view.counts = to->counts;
  last_delta_.tail = push_tail(view);
  return last_delta_.tail;
}

void StateTexts::forget() {
  texts_.clear();
  last_marks_ = {};
  last_delta_ = {};
}

}  // namespace espalier::ipc::internal
