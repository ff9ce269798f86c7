#include "espalier/supervisor/process/launch_plan.hpp"

#include "espalier/supervisor/process/copy_link.hpp"
#include "espalier/supervisor/process/find_program.hpp"
#include "espalier/supervisor/process/identity.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <string_view>

namespace espalier::supervisor {

namespace {

/// Said to one process by whoever started it; a child that believed them would talk to the wrong
/// supervisor.
bool is_of_one_process(std::string_view name) {
  return name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID" ||
         name == "LISTEN_PID" || name == "LISTEN_FDS" || name == "LISTEN_FDNAMES" ||
         name == "ESPALIER_PATH" || name == "ESPALIER_GENERATION" || name == "ESPALIER_HOST_ID" ||
         name == copy_variable;
}

std::string random_id() {
  std::random_device device;
  char text[33] = {};
  std::snprintf(text, sizeof text, "%08x%08x%08x%08x", device(), device(), device(), device());
  return text;
}

std::vector<std::string> make_environment(const LaunchRequest& request, const HostWorld& world,
                                          const std::string& notify_address,
                                          const IdentityLookup& who) {
  const auto& spec = *request.spec;
  std::map<std::string, std::string> variables;
  if (!spec.clear_environment) {
    for (const auto& entry : world.environment) {
      const auto equals = entry.find('=');
      variables[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
  }
  if (!who.user.empty()) {
    variables["USER"] = variables["LOGNAME"] = who.user;
    variables["HOME"] = who.home;
  }
  for (const auto& [name, value] : spec.environment)
    variables[name] = value;
  variables["ESPALIER_PATH"] = request.path;
  variables["ESPALIER_GENERATION"] = std::to_string(request.generation);
  variables["ESPALIER_HOST_ID"] = world.host_id;
  if (request.call) {
    // It speaks through its context; what it starts must not speak for it.
    variables[copy_variable] = copy_fd_text;
  } else {
    variables["NOTIFY_SOCKET"] = notify_address;
  }
  if (!request.call && request.watchdog > Duration::zero()) {
    const auto period = std::chrono::duration_cast<std::chrono::microseconds>(request.watchdog);
    variables["WATCHDOG_USEC"] = std::to_string(period.count());
  }
  std::vector<std::string> result;
  result.reserve(variables.size());
  for (const auto& [name, value] : variables)
    result.push_back(name + "=" + value);
  return result;
}

std::vector<LimitToSet> make_limits(const ResourceLimits& limits) {
  std::vector<LimitToSet> result;
  if (limits.memory_bytes) {
    result.push_back({RLIMIT_AS, {*limits.memory_bytes, *limits.memory_bytes}, "memory"});
  }
  if (limits.cpu_seconds) {
    // One second between the two, so that the end is SIGXCPU, which says what happened.
    result.push_back({RLIMIT_CPU, {*limits.cpu_seconds, *limits.cpu_seconds + 1}, "CPU time"});
  }
  if (limits.open_files) {
    result.push_back({RLIMIT_NOFILE, {*limits.open_files, *limits.open_files}, "open files"});
  }
  if (limits.core_bytes) {
    result.push_back({RLIMIT_CORE, {*limits.core_bytes, *limits.core_bytes}, "core file size"});
  }
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& text : strings)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

HostWorld HostWorld::capture() {
  HostWorld world;
  world.path = default_path;
  for (auto** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || is_of_one_process(text.substr(0, equals))) continue;
    if (text.starts_with("PATH=")) world.path = text.substr(5);
    world.environment.emplace_back(text);
  }
  world.host_id = random_id();
  return world;
}

LaunchPlan make_launch_plan(const LaunchRequest& request, const HostWorld& world,
                            const std::string& notify_address) {
  LaunchPlan plan;
  if (!request.spec) {
    plan.problem = "cannot run " + request.path + ": it has no command";
    return plan;
  }
  const auto& spec = *request.spec;
  // Also when the file has been replaced meanwhile: a copy is a copy of what runs.
  auto lookup =
      request.call ? ProgramLookup{.program = "/proc/self/exe"} : find_program_in(spec, world.path);
  auto who = find_identity(spec.user, spec.group);
  plan.problem = lookup.problem;
  if (plan.problem.empty() && !who.problem.empty()) {
    plan.problem = "cannot run \"" + spec.command.front() + "\": " + who.problem;
  }
  if (!plan.problem.empty()) return plan;
  plan.program = std::move(lookup.program);
  plan.arguments = spec.command;
  plan.environment = make_environment(request, world, notify_address, who);
  plan.argv = pointers_to(plan.arguments);
  plan.envp = pointers_to(plan.environment);
  plan.identity = std::move(who.identity);
  plan.limits = make_limits(spec.resource_limits);
  if (world.open_files && !spec.resource_limits.open_files) {
    rlimit ours = {};
    ::getrlimit(RLIMIT_NOFILE, &ours);
    plan.limits.push_back({RLIMIT_NOFILE, {*world.open_files, ours.rlim_max}, "open files"});
  }
  return plan;
}

}  // namespace espalier::supervisor
