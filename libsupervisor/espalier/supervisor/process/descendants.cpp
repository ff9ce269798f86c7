#include "espalier/supervisor/process/descendants.hpp"

#include "espalier/supervisor/os/read_file.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <unordered_map>

namespace espalier::supervisor {

namespace {

struct ProcEntry {
  pid_t parent = 0;
  pid_t group = 0;
  char state = '?';
  std::string name = {};
};

// A process may have an environment of megabytes (ARG_MAX); ours is found at most this far in.
constexpr std::size_t largest_proc_file = 8UL << 20U;

std::string read_proc(pid_t pid, const char* file) {
  // What cannot be read is a process that has just gone, or none of ours.
  return read_file("/proc/" + std::to_string(pid) + "/" + file, largest_proc_file).value_or("");
}

/// "pid (name) state ppid pgrp ..."; a name may hold spaces and parentheses, so its end is the
/// last one.
ProcEntry read_entry(pid_t pid) {
  const auto text = read_proc(pid, "stat");
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  ProcEntry entry;
  if (open == std::string::npos || close == std::string::npos) return entry;
  entry.name = text.substr(open + 1, close - open - 1);
  std::istringstream{text.substr(close + 1)} >> entry.state >> entry.parent >> entry.group;
  return entry;
}

std::unordered_map<pid_t, ProcEntry> read_all() {
  std::unordered_map<pid_t, ProcEntry> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir("/proc"),
                                                      [](DIR* d) { return ::closedir(d); }};
  if (!directory) return result;
  while (const auto* file = ::readdir(directory.get())) {
    const auto pid = static_cast<pid_t>(std::strtol(file->d_name, nullptr, 10));
    if (pid > 0) result.emplace(pid, read_entry(pid));
  }
  return result;
}

/// True when the chain of parents leads to us and meets no running process.
bool is_stray(pid_t pid, const std::unordered_map<pid_t, ProcEntry>& all,
              const std::unordered_set<pid_t>& running) {
  const auto us = ::getpid();
  for (std::size_t steps = 0; pid > 1 && steps <= all.size(); ++steps) {
    const auto entry = all.find(pid);
    if (entry == all.end()) return false;
    if (running.contains(pid) || running.contains(entry->second.group)) return false;
    if (entry->second.parent == us) return true;
    pid = entry->second.parent;
  }
  return false;
}

std::string variable(const std::string& environment, const std::string& name) {
  std::istringstream in{environment};
  for (std::string entry; std::getline(in, entry, '\0');) {
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

std::vector<LeftoverProcess> find_descendants(const DescendantQuery& query) {
  std::vector<LeftoverProcess> result;
  const auto all = read_all();
  for (const auto& [pid, entry] : all) {
    const auto alive = entry.state != 'Z' && entry.state != 'X' && entry.state != '?';
    if (!alive || pid == ::getpid() || !is_stray(pid, all, query.running)) continue;
    const auto environment = read_proc(pid, "environ");
    if (!query.host_id.empty() && variable(environment, "ESPALIER_HOST_ID") != query.host_id) {
      continue;
    }
    auto command = read_proc(pid, "cmdline");
    while (!command.empty() && command.back() == '\0')
      command.pop_back();
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.empty()) command = entry.name;
    result.push_back({pid, variable(environment, "ESPALIER_PATH"), std::move(command)});
  }
  std::ranges::sort(result, {}, &LeftoverProcess::pid);
  return result;
}

}  // namespace espalier::supervisor
