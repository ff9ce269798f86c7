#include "espalier/cli/host_check.hpp"

#include "espalier/supervisor/process/process_host.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using Problems = std::vector<sv::ConfigProblem>;

std::optional<unsigned> as_number(const std::string& text) {
  unsigned value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Why a child may not run as `name`; empty: it may.
std::string user_problem(const std::string& name) {
  std::optional<unsigned> id = as_number(name);
  if (!id) {
    const passwd* entry = getpwnam(name.c_str());
    if (entry == nullptr) return "there is no user '" + name + "' on this machine";
    id = entry->pw_uid;
  }
  if (geteuid() == 0 || *id == geteuid()) return "";
  return "only root can start a child as user '" + name + "'; start espalier as root or drop it";
}

std::string group_problem(const std::string& name) {
  std::optional<unsigned> id = as_number(name);
  if (!id) {
    const group* entry = getgrnam(name.c_str());
    if (entry == nullptr) return "there is no group '" + name + "' on this machine";
    id = entry->gr_gid;
  }
  if (geteuid() == 0 || *id == getegid()) return "";
  return "only root can start a child with group '" + name + "'; start espalier as root or drop it";
}

std::string directory_problem(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    return "the working directory '" + path + "' cannot be used: " + std::strerror(errno);
  }
  return S_ISDIR(info.st_mode) ? "" : "the working directory '" + path + "' is not a directory";
}

/// The place of one field where the loader kept it, else that of the child.
sv::SourcePosition place_of(const sv::TreeConfig& config, const std::string& key,
                            const sv::SourcePosition& fallback) {
  for (const sv::EffectiveField& field : config.fields) {
    if (field.key != key) continue;
    const std::size_t second = field.source.rfind(':');
    if (second == std::string::npos || second == 0) return fallback;
    const std::size_t first = field.source.rfind(':', second - 1);
    if (first == std::string::npos) return fallback;
    const auto line = as_number(field.source.substr(first + 1, second - first - 1));
    const auto column = as_number(field.source.substr(second + 1));
    if (!line || !column) return fallback;
    return {field.source.substr(0, first), static_cast<int>(*line), static_cast<int>(*column)};
  }
  return fallback;
}

void check_process(const sv::TreeConfig& config, const sv::ChildSpec& child, const std::string& key,
                   Problems& problems) {
  const auto complain = [&](const char* field, const std::string& message) {
    if (message.empty()) return;
    const std::string full = key + "." + field;
    problems.push_back({place_of(config, full, child.position), full, message});
  };
  const sv::ProcessSpec& spec = *child.process;
  const std::string cwd = spec.cwd.empty() ? "" : directory_problem(spec.cwd);
  complain("cwd", cwd);
  if (cwd.empty() && !spec.command.empty()) complain("command", sv::find_program(spec).problem);
  if (!spec.user.empty()) complain("user", user_problem(spec.user));
  if (!spec.group.empty()) complain("user_group", group_problem(spec.group));
}

void check_children(const sv::TreeConfig& config, const sv::SupervisorSpec& spec,
                    const std::string& prefix, Problems& problems) {
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const sv::ChildSpec& child = spec.children[i];
    const std::string key = prefix + "children[" + std::to_string(i) + "]";
    if (child.process) check_process(config, child, key, problems);
    if (child.supervisor) check_children(config, *child.supervisor, key + ".", problems);
    if (child.pool && child.pool->child.process) {
      check_process(config, child.pool->child, key + ".pool.template", problems);
    }
  }
}

void check_journal(const sv::TreeConfig& config, Problems& problems) {
  const std::string key = "observability.journal.path";
  const std::string& path = config.observability.journal.folder;
  struct stat info = {};
  if (path.empty() || stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return;
  problems.push_back({place_of(config, key, {}), key,
                      "'" + path + "' is not a folder; name one, or a path where one can be made"});
}

}  // namespace

Problems check_host(const sv::TreeConfig& config) {
  static std::mutex one_at_a_time;  // The look-ups of users and groups have one buffer.
  const std::lock_guard lock(one_at_a_time);
  Problems problems;
  check_journal(config, problems);
  check_children(config, config.tree, "", problems);
  return problems;
}

}  // namespace espalier::cli
