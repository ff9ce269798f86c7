#include "espalier/ipc/client/find_target.hpp"

#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <tuple>

namespace espalier::ipc {
namespace {

namespace fs = std::filesystem;

/// A folder in /tmp that a stranger made may hold sockets that only look like targets. In one where
/// root alone makes folders, such as /run, root has given it to whom it belongs.
bool is_trusted(const std::string& folder) {
  struct stat info = {};
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return false;
  if (info.st_uid == ::geteuid() || info.st_uid == 0) return true;
  const auto parent = fs::path(folder).parent_path().string();
  if (::lstat(parent.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return false;
  return info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool is_socket_file(const fs::path& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

/// Does not wait: whose queue is full is alive.
bool answers(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, path.size());
  const supervisor::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// What runs in a folder of root's stays hidden from everybody else.
bool is_closed(const std::string& folder) {
  return is_trusted(folder) &&
         ::faccessat(AT_FDCWD, folder.c_str(), R_OK | X_OK, AT_EACCESS) != 0 && errno == EACCES;
}

constexpr const char* how_to_choose = "choose one with --socket PATH or ESPALIER_SOCKET";

}  // namespace

std::vector<std::string> runtime_folders() {
  std::vector<std::string> folders;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') {
    folders.push_back(std::string(runtime) + "/espalier");
  } else if (::geteuid() != 0) {
    folders.push_back("/tmp/espalier-" + std::to_string(::geteuid()));
  }
  folders.emplace_back("/run/espalier");
  return folders;
}

std::vector<FoundTarget> list_targets(const std::vector<std::string>& folders) {
  std::vector<FoundTarget> found;
  for (const auto& folder : folders) {
    if (!is_trusted(folder)) continue;
    std::error_code ignored;
    for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end;
         at.increment(ignored)) {
      const fs::path& path = at->path();
      if (path.extension() != ".sock" || !is_socket_file(path)) continue;
      found.push_back(
          {.path = path.string(), .name = path.stem().string(), .alive = answers(path.string())});
    }
  }
  std::ranges::sort(found, [](const FoundTarget& a, const FoundTarget& b) {
    return std::tie(a.name, a.path) < std::tie(b.name, b.path);
  });
  return found;
}

expected<std::string, std::string> find_target(const std::string& name,
                                               const std::vector<std::string>& folders) {
  std::vector<std::string> alive;
  std::vector<std::string> fitting;
  std::vector<std::string> dead;
  for (const auto& target : list_targets(folders)) {
    if (!target.alive) dead.push_back(target.path);
    if (!target.alive) continue;
    alive.push_back(target.path);
    if (name.empty() || target.name == name) fitting.push_back(target.path);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.size() > 1) {
    return unexpected<std::string>(std::to_string(fitting.size()) +
                                   " targets run: " + joined(fitting) + "; " + how_to_choose);
  }
  std::string text = name.empty() ? "no target runs" : "no target named " + name + " runs";
  text += " here: looked in " + joined(folders);
  if (!alive.empty()) text += "; there are " + joined(alive) + "; " + how_to_choose;
  std::vector<std::string> closed;
  std::ranges::copy_if(folders, std::back_inserter(closed), is_closed);
  if (!closed.empty()) text += "; you may not look into " + joined(closed) + ", but root may";
  if (!dead.empty()) text += "; nobody answers at " + joined(dead);
  if (alive.empty()) {
    text +=
        "; start one with `espalier run FILE --socket=PATH`, or name the socket of one that "
        "runs elsewhere with --socket PATH or ESPALIER_SOCKET";
  }
  return unexpected<std::string>(std::move(text));
}

}  // namespace espalier::ipc
