#include "espalier/supervisor/core/spec_check.hpp"

#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace espalier::supervisor {

namespace {

using Problems = std::vector<SpecProblem>;

std::string listed(const std::vector<std::string>& names, const std::string& none) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "known are " : ", ") + name;
  return text.empty() ? none : text;
}

const ChildSpec* sibling(const SupervisorSpec& spec, const std::string& name) {
  for (const auto& child : spec.children) {
    if (child.name == name) return &child;
  }
  return nullptr;
}

void check_budget(Problems& out, const std::optional<RestartBudget>& budget,
                  const std::string& field) {
  if (!budget) return;
  if (!(budget->max_burst >= 1)) {
    out.push_back({{field + ".max_burst"}, "a budget below one token restarts nothing; raise it"});
  }
  if (!(budget->recovery_rate_per_sec > 0) || budget->recovery_rate_per_sec > 1000) {
    out.push_back(
        {{field + ".recovery_rate_per_sec"},
         "tokens come back at more than 0 and at most 1000 a second; choose such a rate"});
  }
}

void check_probe(Problems& out, const ProbeSpec* probe, const std::string& field,
                 const std::vector<std::string>& known_probes) {
  if (probe == nullptr) return;
  const auto say = [&](const char* inner, std::string message) {
    out.push_back({{field + inner, field}, std::move(message), true});
  };
  switch (probe->kind) {
    case ProbeSpec::Kind::exec:
      if (probe->command.empty() || probe->command.front().empty()) {
        say(".exec", "a probe needs what it asks: exec, tcp, http or function");
      }
      break;
    case ProbeSpec::Kind::tcp:
    case ProbeSpec::Kind::http:
      if (probe->port == 0 && probe->socket.empty()) {
        say(probe->kind == ProbeSpec::Kind::tcp ? ".tcp" : ".http",
            "the probe has no address; give it host:port or unix:/path");
      }
      break;
    case ProbeSpec::Kind::function:
      if (std::find(known_probes.begin(), known_probes.end(), probe->function) ==
          known_probes.end()) {
        say(".function", "no probe function is named '" + probe->function + "'; " +
                             listed(known_probes, "none is registered"));
      }
      break;
  }
  if (probe->interval <= Duration::zero()) say(".interval", "must be above zero");
  if (probe->timeout <= Duration::zero()) say(".timeout", "must be above zero");
  if (probe->retries == 0) say(".retries", "must be at least 1");
}

void check_group(Problems& out, const SupervisorSpec& spec, const ChildSpec& child) {
  if (child.group.empty()) return;
  std::vector<std::string> names;
  for (const auto& group : spec.groups) {
    if (group.name == child.group) return;
    const bool fresh = std::find(names.begin(), names.end(), group.name) == names.end();
    if (fresh && !group.name.empty()) names.push_back(group.name);
  }
  const bool is_process = child.kind == ChildKind::process;
  out.push_back({{"group"},
                 "no group is named '" + child.group + "'; " +
                     listed(names, "declare it under groups of the supervisor") +
                     (is_process ? ". The group a process runs as is user_group" : "")});
}

void check_sidecar(Problems& out, const SupervisorSpec& spec, const ChildSpec& child) {
  if (!child.sidecar) {
    if (child.role != WorkRole::sidecar) return;
    out.push_back({{"role"}, "a sidecar accompanies a sibling; add sidecar: {primary: NAME}"});
    return;
  }
  const auto& name = child.sidecar->primary;
  const auto* primary = sibling(spec, name);
  std::string fault;
  if (name == child.name) {
    fault = "a child cannot accompany itself; name a sibling";
  } else if (primary == nullptr) {
    fault = "no sibling is named '" + name + "'; a sidecar accompanies a sibling";
  } else if (primary->sidecar) {
    fault =
        "'" + name + "' is a sidecar itself; name its primary, '" + primary->sidecar->primary + "'";
  }
  if (!fault.empty()) out.push_back({{"sidecar.primary", "sidecar"}, fault});
}

void check_significant(Problems& out, const SupervisorSpec& spec, const ChildSpec& child) {
  if (!child.significant) return;
  if (spec.auto_shutdown == AutoShutdown::never) {
    out.push_back({{"significant"},
                   "its end would mean nothing, since auto_shutdown of the supervisor is never; "
                   "set that to any_significant or all_significant, or remove this"});
  } else if (child.policy.restart == RestartType::permanent) {
    out.push_back(
        {{"significant"}, "a permanent child never ends for good; make it transient or temporary"});
  }
}

void check_place(Problems& out, const ChildSpec& child) {
  const bool isolated = child.isolation == Isolation::process;
  if (isolated && child.kind != ChildKind::blocking) {
    const bool is_code = child.kind == ChildKind::actor || child.kind == ChildKind::async;
    out.push_back(
        {{"isolation"},
         std::string("only blocking children can be isolated; ") +
             (is_code ? "register the code as a blocking function and set kind: blocking"
                      : "remove it, this child is of kind " + std::string(to_string(child.kind)))});
  }
  if (child.can_suspend && child.kind != ChildKind::process && !isolated) {
    out.push_back({{"can_suspend"},
                   "only a process can be suspended; remove it, or set isolation: process on a "
                   "blocking child"});
  }
  for (std::size_t i = 0; i < child.gates.size(); ++i) {
    const auto& gate = child.gates[i];
    if (!gate.value.empty()) continue;
    out.push_back({{"gates[" + std::to_string(i) + "]"},
                   "a gate needs one of path, port and pid_file, with a value",
                   true});
  }
}

void check_pool(Problems& out, const ChildSpec& child) {
  if (!child.pool) return;
  const auto& pool = *child.pool;
  const auto text = [](std::uint32_t n) { return std::to_string(n); };
  if (pool.min > pool.max) {
    out.push_back({{"pool.min", "pool.max", "pool"},
                   "min " + text(pool.min) + " is above max " + text(pool.max) + "; swap them"});
  } else if (pool.size < pool.min || pool.size > pool.max) {
    out.push_back({{"pool.size", "pool"},
                   "size " + text(pool.size) + " is outside min " + text(pool.min) + " to max " +
                       text(pool.max) + "; choose a size between"});
  }
  if (pool.child.kind == ChildKind::pool) {
    out.push_back({{"pool.template"}, "a pool inside a pool; put a supervisor between"});
  }
  const auto& made = pool.child;
  if (!made.dependencies.empty() || !made.group.empty() || made.sidecar || made.significant ||
      made.strategy_override) {
    out.push_back({{"pool.template"},
                   "dependencies, group, sidecar, significant and restart_strategy belong to the "
                   "pool, not to its template"});
  }
}

void check_probes(Problems& out, const ChildSpec& child,
                  const std::vector<std::string>& known_probes) {
  const auto& policy = child.policy;
  if (policy.readiness == Readiness::probe && !policy.readiness_probe) {
    out.push_back({{"readiness.mode", "readiness"},
                   "readiness by probe needs one: probe: {exec | tcp | http | function}"});
  }
  check_probe(out, policy.readiness_probe.get(), "readiness.probe", known_probes);
  check_probe(out, policy.health_check.get(), "health_check", known_probes);
}

// Follows depends_on from group to group until one comes twice.
std::string group_cycle(const std::map<std::string, const GroupSpec*>& groups) {
  std::set<std::string> done;
  std::vector<std::string> trail;
  std::string found;
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    const auto again = std::find(trail.begin(), trail.end(), name);
    if (again != trail.end()) {
      for (auto i = again; i != trail.end(); ++i)
        found += *i + " -> ";
      found += name;
    }
    const auto group = groups.find(name);
    if (!found.empty() || group == groups.end() || !done.insert(name).second) return;
    trail.push_back(name);
    for (const auto& dependency : group->second->depends_on) {
      if (found.empty()) visit(dependency.group);
    }
    trail.pop_back();
  };
  for (const auto& entry : groups) {
    if (found.empty()) visit(entry.first);
  }
  return found;
}

void check_groups(Problems& out, const SupervisorSpec& spec) {
  std::map<std::string, const GroupSpec*> groups;
  for (const auto& group : spec.groups)
    groups.emplace(group.name, &group);
  for (std::size_t i = 0; i < spec.groups.size(); ++i) {
    const auto& group = spec.groups[i];
    const auto at = "groups[" + std::to_string(i) + "]";
    if (!is_valid_name(group.name)) {
      out.push_back({{at + ".name", at},
                     "a group needs a name: a letter or _ first, then letters, digits, _ . -"});
    } else if (groups.at(group.name) != &group) {
      out.push_back({{at + ".name"}, "two groups are named '" + group.name + "'; rename one"});
    }
    check_budget(out, group.budget, at + ".restart_budget");
    for (std::size_t k = 0; k < group.depends_on.size(); ++k) {
      const auto& name = group.depends_on[k].group;
      if (groups.count(name) > 0) continue;
      const auto inner = at + ".depends_on[" + std::to_string(k) + "]";
      out.push_back({{inner + ".group", inner}, "no group is named '" + name + "'"});
    }
  }
  if (const auto cycle = group_cycle(groups); !cycle.empty()) {
    out.push_back({{"groups"},
                   "groups depend on each other in a circle: " + cycle +
                       "; take one of these dependencies away"});
  }
}

}  // namespace

Problems policy_problems(const ChildPolicy& policy) {
  Problems out;
  if (policy.backoff.initial > policy.backoff.max) {
    out.push_back({{"backoff.initial", "backoff.max"},
                   "the initial delay " + human(policy.backoff.initial) + " is above the max " +
                       human(policy.backoff.max) + "; lower it or raise max"});
  }
  const auto interval = policy.heartbeat_interval;
  if (policy.watchdog > Duration::zero() && policy.watchdog < interval) {
    out.push_back({{"heartbeat.stale_after", "heartbeat.interval"},
                   "a heartbeat every " + human(interval) + " is stale after " +
                       human(policy.watchdog) +
                       " already; make stale_after two or three intervals long"});
  } else if (policy.watchdog == Duration::zero() && interval > Duration::zero()) {
    out.push_back({{"heartbeat.interval"},
                   "nobody looks at this heartbeat; add stale_after, the longest silence allowed"});
  }
  check_budget(out, policy.budget, "child_restart_budget");
  return out;
}

Problems child_problems(const SupervisorSpec& spec, const ChildSpec& child,
                        const std::vector<std::string>& known_probes) {
  Problems out;
  check_group(out, spec, child);
  check_sidecar(out, spec, child);
  check_significant(out, spec, child);
  check_place(out, child);
  check_probes(out, child, known_probes);
  check_pool(out, child);
  if (!child.pool) return out;
  Problems inner;
  check_place(inner, child.pool->child);
  check_probes(inner, child.pool->child, known_probes);
  for (auto& problem : inner) {
    for (auto& field : problem.fields)
      field = "pool.template." + field;
    problem.fields.emplace_back("pool.template");
    out.push_back(std::move(problem));
  }
  return out;
}

Problems level_problems(const SupervisorSpec& spec, bool is_root) {
  Problems out;
  check_groups(out, spec);
  check_budget(out, spec.budget, "restart_budget");
  const auto& limit = spec.dynamic.child_limit;
  if (limit == 0U) {
    out.push_back({{"dynamic.child_limit"},
                   "a limit of 0 allows no child at all; raise it, or set enabled: false"});
  } else if (limit && spec.children.size() > *limit) {
    out.push_back(
        {{"dynamic.child_limit"},
         "there are " + std::to_string(spec.children.size()) + " children already; raise it"});
  }
  if (!spec.dynamic.registry.empty() && !is_root) {
    out.push_back({{"dynamic.registry"},
                   "one file keeps the added children of a whole tree; move it to the root"});
  }
  if (spec.admission && !is_root) {
    out.push_back({{"admission"}, "holds for a whole tree; move it to the root"});
  }
  return out;
}

}  // namespace espalier::supervisor
