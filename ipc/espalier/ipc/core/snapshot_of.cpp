#include "espalier/ipc/core/snapshot_of.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/supervisor/core/decision.hpp"

#include <string_view>

namespace espalier::ipc {
namespace {

const std::vector<std::string> no_texts = {};

// The views below have the fields of their wire types, and are described by them.

struct ExitView {
  std::string_view kind = {};
  std::string_view category = {};
  std::optional<std::int64_t> code = {};
  std::optional<std::int64_t> signal = {};
  std::optional<std::string_view> message = {};
  static void describe(auto& self, auto& visit) { ExitInfo::describe(self, visit); }
};

struct PendingView {
  Timestamp at = {};
  std::string_view reason = {};
  static void describe(auto& self, auto& visit) { PendingRestart::describe(self, visit); }
};

struct NodeView {
  std::string_view path = {};
  sv::ChildKind kind = sv::ChildKind::supervisor;
  std::optional<sv::Strategy> strategy = {};
  Lifecycle lifecycle = Lifecycle::pending;
  sv::ChildPhase phase = sv::ChildPhase::idle;
  WireIntent intent = WireIntent::active;
  std::uint64_t generation = 0;
  std::uint64_t attempt = 0;
  std::optional<std::int64_t> pid = {};
  Timestamp since = {};
  std::string_view readiness = {};
  std::string_view health = {};
  std::optional<std::string_view> status_text = {};
  RestartsInfo restarts = {};
  std::optional<PendingView> pending_restart = {};
  std::optional<ExitView> last_exit = {};
  std::optional<std::string_view> last_decision = {};
  std::optional<ResourceInfo> resources = {};
  const std::vector<std::string>& tags = no_texts;
  std::optional<std::string_view> group = {};
  std::optional<sv::WorkRole> role = {};
  sv::SeverityClass severity = sv::SeverityClass::standard;
  const std::vector<std::string>& dependencies = no_texts;
  std::optional<std::string_view> restart_type = {};
  std::optional<std::string_view> command = {};
  std::optional<std::string_view> source = {};
  static void describe(auto& self, auto& visit) { NodeInfo::describe(self, visit); }
};

struct NodeRange {
  const SnapshotSource& source;
  std::vector<SnapshotText::Slice>& slices;
};

struct SnapshotView {
  TargetRef target = {};
  std::uint64_t generation = 0;
  Timestamp generated_at = {};
  const std::string& config_version;
  std::string_view state = {};
  NodeRange nodes;
  std::map<std::string, std::uint64_t> counts = {};
  DroppedInfo dropped = {};
  std::optional<ShutdownInfo> shutdown = {};
  static void describe(auto& self, auto& visit) { Snapshot::describe(self, visit); }
};

std::string_view readiness_of(const sv::ChildView& view) {
  using enum sv::ChildPhase;
  if (view.phase == running || view.phase == suspended) return "ready";
  if (view.intent != sv::Intent::run) return "none";
  switch (view.phase) {
    case idle:
    case blocked:
    case gated:
    case backing_off:
    case queued:
    case starting:
      return "waiting";
    default:
      return "none";
  }
}

// The rule by which the tree counts its unready children.
std::string_view health_of(const sv::NodeState& node) {
  using enum sv::ChildPhase;
  const auto& view = node.view;
  if (view.phase == running || view.phase == suspended) return "ok";
  const bool is_optional = node.severity() == sv::SeverityClass::optional;
  const bool is_aside = view.phase == paused || view.phase == removed;
  if (is_optional || is_aside || view.intent != sv::Intent::run) return "none";
  const bool has_failed = view.last_exit && view.last_exit->is_failure();
  return view.phase != stopped || has_failed ? "unready" : "none";
}

std::optional<sv::Strategy> strategy_of(const sv::NodeState& node) {
  if (node.supervisor) return node.supervisor->strategy;
  if (node.spec && node.spec->supervisor) return node.spec->supervisor->strategy;
  return {};
}

ExitView view_of(const sv::ExitRecord& exit) {
  ExitView view{.kind = to_string(exit.kind), .category = to_string(exit.category)};
  if (exit.code) view.code = *exit.code;
  if (exit.signal) view.signal = *exit.signal;
  if (!exit.message.empty()) view.message = exit.message;
  return view;
}

double ms(sv::Duration d) {
  return std::chrono::duration<double, std::milli>{d}.count();
}

// Texts a node does not own, for the time it is written.
struct Scratch {
  std::string decision = {};
  std::string source = {};
};

class NodeWriter {
 public:
  explicit NodeWriter(const SnapshotSource& source) : source_(source) {}

  void append(std::string& out, const sv::NodeState& node) {
    const auto& view = node.view;
    NodeView wire{.tags = node.tags(),
                  .dependencies = node.spec ? node.spec->dependencies : no_texts};
    wire.path = node.path;
    wire.kind = node.kind;
    wire.strategy = strategy_of(node);
    wire.lifecycle = lifecycle_of(view.phase);
    wire.phase = view.phase;
    wire.intent = intent_of(view.intent);
    wire.generation = view.generation;
    wire.attempt = view.attempt;
    wire.pid = view.pid;
    wire.since = wall(view.since);
    wire.readiness = readiness_of(view);
    wire.health = health_of(node);
    if (view.status) wire.status_text = *view.status;
    wire.restarts = {view.restarts_in_window, view.restart_limit, 0, view.restarts_total};
    add_pending(wire, view);
    if (view.last_exit) wire.last_exit = view_of(*view.last_exit);
    if (view.last_decision) {
      scratch_.decision = explain(node.path, *view.last_decision);
      wire.last_decision = scratch_.decision;
    }
    if (source_.resources && view.pid) wire.resources = source_.resources(*view.pid);
    if (!node.group().empty()) wire.group = node.group();
    wire.role = node.role();
    wire.severity = node.severity();
    if (node.spec) add_spec(wire, *node.spec);
    encode(out, wire);
  }

 private:
  [[nodiscard]] Timestamp wall(sv::TimePoint at) const {
    return Timestamp{std::chrono::duration_cast<Timestamp::duration>(at.time_since_epoch() +
                                                                     source_.wall_offset)};
  }

  void add_pending(NodeView& wire, const sv::ChildView& view) const {
    if (!view.due) return;
    if (view.phase == sv::ChildPhase::backing_off) {
      wire.pending_restart = PendingView{wall(*view.due), "back-off"};
    } else if (view.phase == sv::ChildPhase::queued) {
      wire.pending_restart = PendingView{wall(*view.due), "restart budget or admission"};
    }
  }

  void add_spec(NodeView& wire, const sv::ChildSpec& spec) {
    if (spec.policy.restart_limit) wire.restarts.window_ms = ms(spec.policy.restart_limit->window);
    wire.restart_type = to_string(spec.policy.restart);
    if (spec.process && !spec.process->command.empty()) {
      wire.command = spec.process->command.front();
    }
    if (spec.position.file.empty()) return;
    scratch_.source = spec.position.file;
    for (const int number : {spec.position.line, spec.position.column}) {
      scratch_.source += ':';
      scratch_.source += std::to_string(number);
    }
    wire.source = scratch_.source;
  }

  const SnapshotSource& source_;
  Scratch scratch_ = {};
};

// Encodes like any other visitor, but for the nodes, which are made one by one.
struct SnapshotEncoder {
  internal::Encoder encoder;
  std::string& out;

  template <class T>
  void operator()(std::string_view name, const T& field, std::string_view about) {
    encoder(name, field, about);
  }
  void operator()(std::string_view name, const NodeRange& nodes, std::string_view) {
    encoder.object.key(name) += '[';
    NodeWriter writer{nodes.source};
    for (const auto& node : nodes.source.tree.nodes) {
      if (!nodes.slices.empty()) out += ',';
      const auto begin = out.size();
      writer.append(out, node);
      nodes.slices.push_back({begin, out.size()});
    }
    out += ']';
  }
};

}  // namespace

std::map<std::string, std::uint64_t> counts_of(const sv::PhaseCounts& counts) {
  std::map<std::string, std::uint64_t> result;
  result["total"] = counts.total;
  for (std::size_t i = 0; i < WireWords<Lifecycle>::count; ++i)
    result[WireWords<Lifecycle>::word(i)] = 0;
  for (std::size_t i = 0; i < sv::PhaseCounts::phases; ++i) {
    const auto phase = static_cast<sv::ChildPhase>(i);
    if (phase == sv::ChildPhase::removed) continue;
    result[to_string(lifecycle_of(phase))] += counts.of(phase);
  }
  return result;
}

std::uint64_t remaining_of(const sv::PhaseCounts& counts) {
  using enum sv::ChildPhase;
  return counts.ready() + counts.of(starting) + counts.of(stopping) + counts.of(aborting);
}

void append_snapshot(SnapshotText& out, const SnapshotSource& source) {
  constexpr std::size_t usual_node = 512;
  out.text.reserve(out.text.size() + usual_node * (source.tree.nodes.size() + 2));
  out.nodes.reserve(source.tree.nodes.size());
  const auto& target = source.target;
  const SnapshotView view{
      .target = {target.target_id, target.display_name, target.pid},
      .generation = source.tree.sequence,
      .generated_at = source.generated_at,
      .config_version = source.tree.config_version,
      .state = to_string(source.health.state),
      .nodes = {source, out.nodes},
      .counts = counts_of(source.tree.counts),
      .dropped = source.dropped,
      .shutdown = source.shutdown,
  };
  SnapshotEncoder encoder{{sv::json::JsonObject{out.text}}, out.text};
  SnapshotView::describe(view, encoder);
}

}  // namespace espalier::ipc
