#include "espalier/ipc/core/internal/allow_list.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace espalier::ipc::internal {

using supervisor::ChildKind;
using supervisor::ChildSpec;
using supervisor::ProbeSpec;

namespace {

// Through these a program can be made to load or run what its name does not say.
constexpr std::array<std::string_view, 13> telling = {
    "PATH",       "GCONV_PATH",   "GLIBC_TUNABLES",   "BASH_ENV", "ENV",
    "PYTHONPATH", "PYTHONHOME",   "PYTHONSTARTUP",    "PERL5LIB", "PERL5OPT",
    "RUBYOPT",    "NODE_OPTIONS", "JAVA_TOOL_OPTIONS"};

bool matters(std::string_view variable) {
  return variable.starts_with("LD_") || std::ranges::find(telling, variable) != telling.end();
}

WireError refusal(const std::string& place, const std::string& what) {
  return {ErrorCode::command_not_allowed,
          Stage::allow_list,
          place + ": " + what +
              "; ask whoever configures this target to list it under "
              "dashboard.security.allowed_commands, or configure it in the tree file itself",
          false,
          {}};
}

}  // namespace

AllowList::AllowList(const std::vector<std::string>& allowed, const supervisor::TreeState& running)
    : allowed_(allowed) {
  for (const auto& node : running.nodes) {
    if (!node.spec) continue;
    collect_own(*node.spec, node.path, running_);
    if (node.spec->pool) collect(node.spec->pool->child, node.path + "/*", running_);
  }
  std::ranges::sort(running_, {}, &Program::place);
}

void AllowList::collect_own(const ChildSpec& child, const std::string& path,
                            std::vector<Program>& into) {
  Program own{.place = path};
  if (child.process) {
    own.cwd = child.process->cwd;
    for (const auto& [name, value] : child.process->environment)
      if (matters(name)) own.variables.push_back(name + "=" + value);
    if (child.kind == ChildKind::process) own.command = child.process->command;
  }
  if (child.process || child.kind == ChildKind::process) into.push_back(own);
  const auto probe = [&](const std::shared_ptr<const ProbeSpec>& spec, const char* what) {
    if (!spec || spec->kind != ProbeSpec::Kind::exec) return;
    into.push_back({path + " " + what, spec->command, own.cwd, own.variables});
  };
  probe(child.policy.readiness_probe, "readiness probe");
  probe(child.policy.health_check, "health check");
}

void AllowList::collect(const ChildSpec& child, const std::string& path,
                        std::vector<Program>& into) {
  collect_own(child, path, into);
  if (child.pool) collect(child.pool->child, path + "/*", into);
  if (!child.supervisor) return;
  for (const auto& below : child.supervisor->children)
    collect(below, supervisor::join_path(path, below.name), into);
}

std::optional<WireError> AllowList::problem_of(const ChildSpec& child,
                                               const std::string& path) const {
  std::vector<Program> programs;
  collect(child, path, programs);
  return problem_of(programs);
}

std::optional<WireError> AllowList::problem_of(const supervisor::SupervisorSpec& tree) const {
  std::vector<Program> programs;
  for (const auto& child : tree.children)
    collect(child, supervisor::join_path("/", child.name), programs);
  return problem_of(programs);
}

// A path that is neither absolute nor a bare name means another file in every folder.
bool AllowList::is_listed(const std::string& program) const {
  if (!program.starts_with('/') && program.find('/') != std::string::npos) return false;
  return std::ranges::find(allowed_, program) != allowed_.end();
}

std::optional<WireError> AllowList::problem_of(const std::vector<Program>& programs) const {
  for (const auto& program : programs) {
    const auto from = std::ranges::lower_bound(running_, program.place, {}, &Program::place);
    const auto to = std::ranges::upper_bound(running_, program.place, {}, &Program::place);
    if (std::find(from, to, program) != to) continue;
    if (!program.variables.empty()) {
      const auto& first = program.variables.front();
      return refusal(program.place, "children that come over the socket may not set " +
                                        first.substr(0, first.find('=')));
    }
    if (program.command.empty() || is_listed(program.command.front())) continue;
    return refusal(program.place, "the program '" + program.command.front() + "' is not allowed");
  }
  return {};
}

}  // namespace espalier::ipc::internal
