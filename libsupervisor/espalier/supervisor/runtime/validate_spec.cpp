#include "espalier/supervisor/runtime/validate_spec.hpp"

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
  const bool wants_actor = child.kind == ChildKind::actor;
  const bool found = wants_actor ? factories.find_actor(child.factory) != nullptr
                                 : factories.find_blocking(child.factory) != nullptr;
  if (found) return {};
  if (child.factory.empty()) return "names no factory; " + listed(factories.names());
  if (factories.find_actor(child.factory) || factories.find_blocking(child.factory)) {
    return "factory '" + child.factory + "' is of the other kind; set kind to " +
           (wants_actor ? "blocking" : "actor");
  }
  return "unknown factory '" + child.factory + "'; " + listed(factories.names());
}

std::string payload_problem(const ChildSpec& child, const ChildFactories& factories) {
  const bool is_process = child.kind == ChildKind::process;
  const bool is_supervisor = child.kind == ChildKind::supervisor;
  if (child.process && !is_process) return "has a process but is no process child; drop one";
  if (child.supervisor && !is_supervisor) {
    return "has children but is no supervisor child; drop one";
  }
  if (is_supervisor) return child.supervisor ? "" : "has no supervisor spec; give it one";
  if (!is_process) return factory_problem(child, factories);
  if (!child.process || child.process->command.empty()) return "has no command; give it one";
  return child.process->command.front().empty() ? "has an empty program name in its command" : "";
}

std::string child_problem(const std::string& path, const ChildSpec& child,
                          const ChildFactories& factories) {
  if (auto problem = payload_problem(child, factories); !problem.empty()) {
    return path + ": " + problem;
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
  }
  const auto problem = start_order(spec).problem;
  return problem.empty() ? problem : path + ": " + problem;
}

}  // namespace

std::string problem_of(const SupervisorSpec& spec, const ChildFactories& factories) {
  return problem_below("/", spec, factories);
}

}  // namespace espalier::supervisor
