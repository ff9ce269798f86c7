#include "espalier/supervisor/process/find_program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace espalier::supervisor {

namespace {

namespace fs = std::filesystem;

enum class Verdict { runnable, missing, directory, not_executable };

Verdict look_at(const fs::path& file) {
  struct stat info = {};
  if (::stat(file.c_str(), &info) != 0) return Verdict::missing;
  if (S_ISDIR(info.st_mode)) return Verdict::directory;
  if (::faccessat(AT_FDCWD, file.c_str(), X_OK, AT_EACCESS) != 0) return Verdict::not_executable;
  return Verdict::runnable;
}

/// An absolute name, since the process is in `cwd` when it looks and we are not.
fs::path absolute_in(const std::string& cwd, const fs::path& file) {
  std::error_code ignored;
  const auto joined = cwd.empty() ? file : fs::path{cwd} / file;
  auto result = fs::absolute(joined, ignored);
  return ignored ? joined : result;
}

ProgramLookup cannot_run(const std::string& name, const std::string& why) {
  return {{}, "cannot run \"" + name + "\": " + why};
}

ProgramLookup check_file(const std::string& name, const fs::path& file) {
  switch (look_at(file)) {
    case Verdict::runnable:
      return {file.string(), {}};
    case Verdict::missing:
      return cannot_run(name, "no such file (" + file.string() + ")");
    case Verdict::directory:
      return cannot_run(name, file.string() + " is a directory");
    case Verdict::not_executable:
      break;
  }
  return cannot_run(name, file.string() + " is not executable (chmod +x makes it so)");
}

ProgramLookup search_path(const std::string& name, const std::string& cwd,
                          const std::string& path) {
  std::string present;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const auto file = absolute_in(cwd, fs::path{path.substr(begin, end - begin)} / name);
    const auto verdict = look_at(file);
    if (verdict == Verdict::runnable) return {file.string(), {}};
    if (verdict == Verdict::not_executable && present.empty()) present = file.string();
    begin = end + 1;
  }
  if (!present.empty()) return check_file(name, present);
  return cannot_run(name, "no such file in PATH (" + path + ")");
}

}  // namespace

ProgramLookup find_program_in(const ProcessSpec& spec, const std::string& inherited_path) {
  if (spec.command.empty() || spec.command.front().empty()) {
    return {{}, "cannot run a process: its command is empty; name a program"};
  }
  const auto& name = spec.command.front();
  if (name.find('/') != std::string::npos) {
    return check_file(name, absolute_in(spec.cwd, name));
  }
  const auto own = spec.environment.find("PATH");
  return search_path(name, spec.cwd, own == spec.environment.end() ? inherited_path : own->second);
}

ProgramLookup find_program(const ProcessSpec& spec) {
  const auto* path = std::getenv("PATH");
  return find_program_in(spec, path == nullptr ? default_path : path);
}

}  // namespace espalier::supervisor
