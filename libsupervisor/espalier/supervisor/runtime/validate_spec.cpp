#include "espalier/supervisor/runtime/validate_spec.hpp"

#include "espalier/supervisor/core/spec_check.hpp"

#include <set>

namespace espalier::supervisor {

namespace {

std::string problem_below(const std::string& path, const SupervisorSpec& spec,
                          const ChildFactories& factories);

std::string listed(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names)
    result += (result.empty() ? "" : ", ") + name;
  return result.empty() ? "none is registered" : "known are: " + result;
}

std::string factory_problem(const ChildSpec& child, const ChildFactories& factories) {
  const auto kind = factories.kind_of(child.factory);
  if (kind == child.kind) return {};
  if (child.factory.empty()) return "names no factory; " + listed(factories.names());
  if (kind) {
    return "factory '" + child.factory + "' is of another kind; set kind to " + to_string(*kind);
  }
  return "unknown factory '" + child.factory + "'; " + listed(factories.names());
}

std::string payload_problem(const ChildSpec& child, const ChildFactories& factories) {
  const bool is_process = child.kind == ChildKind::process;
  const bool is_supervisor = child.kind == ChildKind::supervisor;
  const bool is_pool = child.kind == ChildKind::pool;
  const bool runs_apart = is_process || child.isolation == Isolation::process;
  if (child.process && !runs_apart) return "has a process but is no process child; drop one";
  if (child.pool && !is_pool) return "has a pool but is no pool child; drop one";
  if (child.supervisor && !is_supervisor) {
    return "has children but is no supervisor child; drop one";
  }
  if (is_supervisor) return child.supervisor ? "" : "has no supervisor spec; give it one";
  if (is_pool) return child.pool ? "" : "has no pool spec; give it one";
  if (!is_process) return factory_problem(child, factories);
  if (!child.process || child.process->command.empty()) return "has no command; give it one";
  return child.process->command.front().empty() ? "has an empty program name in its command" : "";
}

std::string first_of(const std::string& path, const std::vector<SpecProblem>& problems) {
  if (problems.empty()) return {};
  return path + ": " + problems.front().fields.front() + ": " + problems.front().message;
}

std::string policy_problem(const std::string& path, const ChildSpec& child) {
  return first_of(path, policy_problems(child.policy));
}

std::string child_problem(const std::string& path, const ChildSpec& child,
                          const ChildFactories& factories) {
  if (auto problem = payload_problem(child, factories); !problem.empty()) {
    return path + ": " + problem;
  }
  if (child.pool) {
    const auto inside = path + " (template)";
    auto problem = policy_problem(inside, child.pool->child);
    return problem.empty() ? child_problem(inside, child.pool->child, factories) : problem;
  }
  return child.supervisor ? problem_below(path, *child.supervisor, factories) : std::string{};
}

std::string problem_below(const std::string& path, const SupervisorSpec& spec,
                          const ChildFactories& factories) {
  std::set<std::string> names;
  for (const auto& child : spec.children) {
    if (!is_valid_name(child.name)) {
      return path + ": a child is named '" + child.name +
             "'; names begin with a letter or _ and go on with letters, digits, _ . -";
    }
    const auto child_path = join_path(path, child.name);
    if (!names.insert(child.name).second) {
      return child_path + ": two siblings have this name; rename one";
    }
    if (auto problem = child_problem(child_path, child, factories); !problem.empty()) {
      return problem;
    }
    if (auto problem = policy_problem(child_path, child); !problem.empty()) return problem;
    auto problem = first_of(child_path, child_problems(spec, child, factories.probe_names()));
    if (!problem.empty()) return problem;
  }
  if (auto problem = start_order(spec).problem; !problem.empty()) return path + ": " + problem;
  return first_of(path, level_problems(spec, path == "/"));
}

}  // namespace

std::string problem_of(const SupervisorSpec& spec, const ChildFactories& factories) {
  return problem_below("/", spec, factories);
}

}  // namespace espalier::supervisor
