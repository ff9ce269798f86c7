#include "espalier/metrics/tree_gauges.hpp"

#include "espalier/metrics/label.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>

namespace espalier::metrics {

namespace sv = espalier::supervisor;

namespace {

enum Name : std::size_t {
  child_state,
  restarts_left,
  alive,
  restart_pending,
  children,
  unready,
  ready,
  uptime,
};

constexpr std::array<Family, uptime + 1> all = {{
    {"supervisor_child_state", "1 for where a child stands; of others, how many stand there.",
     Type::gauge, "path,child,state"},
    {"supervisor_child_runtime_restart_limit_remaining",
     "Restarts a child has left in its window; of others, the least.", Type::gauge, "path,child"},
    {"supervisor_runtime_control_plane_alive", "1 for a supervisor or pool that works, else 0.",
     Type::gauge, "path,state,phase"},
    {"supervisor_child_restart_pending", "Children that wait for their restart.", Type::gauge, ""},
    {"espalier_children", "Children of the whole tree, by where they stand.", Type::gauge, "phase"},
    {"espalier_children_unready", "Children that should be ready and are not.", Type::gauge, ""},
    {"espalier_tree_ready", "1 while the tree is up and every child is ready that should be.",
     Type::gauge, ""},
    {"espalier_tree_uptime_seconds", "Since the tree was up; 0 before, and after its end.",
     Type::gauge, ""},
}};

/// Path and name of a node, without a copy.
struct Place {
  explicit Place(std::string_view path) {
    const auto slash = path.rfind('/');
    above = slash == 0 ? "/" : path.substr(0, slash);
    name = path.substr(slash + 1);
  }
  std::string_view above = {};
  std::string_view name = {};
};

using Phases = std::array<std::uint64_t, sv::PhaseCounts::phases>;
using Nodes = std::vector<sv::NodeState>;

// The root is no child.
template <class Own, class Other>
void visit_children(const Nodes& nodes, std::size_t max_children, Own own, Other other) {
  std::size_t shown = 0;
  for (const auto& node : nodes) {
    if (node.path == "/") continue;
    shown < max_children ? own(Place{node.path}, node) : other(Place{node.path}, node);
    ++shown;
  }
}

void write_states(Writer& to, const Nodes& nodes, std::size_t max_children) {
  std::map<std::string_view, Phases> rest;
  to.family(all[child_state]);
  visit_children(
      nodes, max_children,
      [&](const Place& place, const sv::NodeState& node) {
        to.sample(
            {{"path", place.above}, {"child", place.name}, {"state", to_string(node.view.phase)}},
            1);
      },
      [&](const Place& place, const sv::NodeState& node) {
        ++rest[place.above][static_cast<std::size_t>(node.view.phase)];
      });
  for (const auto& [path, phases] : rest) {
    for (std::size_t i = 0; i < phases.size(); ++i) {
      if (phases[i] == 0) continue;
      const auto* state = to_string(static_cast<sv::ChildPhase>(i));
      to.sample({{"path", path}, {"child", others}, {"state", state}},
                static_cast<double>(phases[i]));
    }
  }
}

// What is published was counted when the supervisor last worked; since then restarts have left the
// window, and all of them have once it has run for that long.
std::uint64_t left(const sv::NodeState& node, sv::TimePoint now) {
  const auto& view = node.view;
  const auto window = node.spec && node.spec->policy.restart_limit
                          ? node.spec->policy.restart_limit->window
                          : sv::Duration::max();
  const bool runs = view.phase == sv::ChildPhase::running;
  if (runs && now - view.since >= window) return view.restart_limit;
  return view.restart_limit - std::min(view.restart_limit, view.restarts_in_window);
}

void write_limits(Writer& to, const Nodes& nodes, std::size_t max_children) {
  const auto now = std::chrono::steady_clock::now();
  std::map<std::string_view, std::uint64_t> rest;
  to.family(all[restarts_left]);
  visit_children(
      nodes, max_children,
      [&](const Place& place, const sv::NodeState& node) {
        if (node.view.restart_limit == 0) return;
        to.sample({{"path", place.above}, {"child", place.name}},
                  static_cast<double>(left(node, now)));
      },
      [&](const Place& place, const sv::NodeState& node) {
        if (node.view.restart_limit == 0) return;
        const auto its = left(node, now);
        const auto [found, is_new] = rest.try_emplace(place.above, its);
        if (!is_new) found->second = std::min(found->second, its);
      });
  for (const auto& [path, least] : rest)
    to.sample({{"path", path}, {"child", others}}, static_cast<double>(least));
}

const char* phase_of(const sv::HealthReport& health) {
  using State = sv::HealthReport::State;
  if (health.state == State::starting) return "startup";
  return health.state == State::up || health.state == State::degraded ? "running" : "shutdown";
}

bool works(const sv::NodeState& node, bool tree_alive) {
  using enum sv::ChildPhase;
  const auto phase = node.view.phase;
  const bool has_actor = phase == starting || phase == running || phase == suspended ||
                         phase == stopping || phase == aborting;
  return tree_alive && has_actor && !node.supervisor->ended;
}

void write_supervisors(Writer& to, const Nodes& nodes, const sv::HealthReport& health,
                       std::size_t max_children) {
  to.family(all[alive]);
  std::size_t shown = 0;
  std::uint64_t rest = 0;
  for (const auto& node : nodes) {
    if (!node.supervisor) continue;
    const bool well = works(node, health.alive);
    if (++shown > max_children + 1) {
      rest += well ? 1 : 0;
      continue;
    }
    to.sample(
        {{"path", node.path}, {"state", to_string(node.view.phase)}, {"phase", phase_of(health)}},
        well ? 1 : 0);
  }
  if (shown <= max_children + 1) return;
  to.sample({{"path", others}, {"state", others}, {"phase", phase_of(health)}},
            static_cast<double>(rest));
}

void write_tree(Writer& to, const sv::HealthReport& health) {
  using enum sv::ChildPhase;
  const auto& counts = health.counts;
  const auto one = [&](Name name, double value) {
    to.family(all[name]);
    to.sample({}, value);
  };
  one(restart_pending, static_cast<double>(counts.of(backing_off) + counts.of(queued)));
  to.family(all[children]);
  for (std::size_t i = 0; i + 1 < sv::PhaseCounts::phases; ++i) {
    const auto phase = static_cast<sv::ChildPhase>(i);
    to.sample({{"phase", to_string(phase)}}, static_cast<double>(counts.of(phase)));
  }
  one(unready, static_cast<double>(counts.unready));
  one(ready, health.state == sv::HealthReport::State::up ? 1 : 0);
}

// The root of a state runs since the tree is up.
double uptime_of(const Nodes& nodes) {
  if (nodes.empty() || nodes.front().view.phase != sv::ChildPhase::running) return 0;
  const auto since = std::chrono::steady_clock::now() - nodes.front().view.since;
  return std::chrono::duration<double>(since).count();
}

}  // namespace

void TreeGauges::write(Writer& to) const {
  const auto health = handle_.health();
  const auto state = handle_.current_state();
  static const Nodes none;
  const auto& nodes = state ? state->nodes : none;
  write_states(to, nodes, max_children_);
  write_limits(to, nodes, max_children_);
  write_supervisors(to, nodes, health, max_children_);
  write_tree(to, health);
  to.family(all[uptime]);
  to.sample({}, uptime_of(nodes));
}

std::span<const Family> TreeGauges::families() {
  return all;
}

}  // namespace espalier::metrics
