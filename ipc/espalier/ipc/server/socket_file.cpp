#include "espalier/ipc/server/socket_file.hpp"

#include "espalier/ipc/server/given_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

namespace espalier::ipc {

namespace {

using supervisor::BindMode;
using supervisor::UniqueFd;
using Kind = ServerError::Kind;

constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
constexpr int backlog = 1024;

std::string reason(int error) {
  return std::generic_category().message(error);
}

ServerError failed(const std::string& what, int error) {
  return {Kind::failed, what + ": " + reason(error)};
}

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISREG(mode)) return "a regular file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  return "a device";
}

std::string folder_problem(int fd, const std::string& folder) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return folder + ": " + reason(errno);
  if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
    return "the folder " + folder + " belongs to user " + std::to_string(found.st_uid) +
           ", who could put another socket in this one's place; choose a folder of your own";
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (found.st_mode & S_ISVTX) == 0) {
    return "others may write to the folder " + folder +
           ", and could put another socket in this one's place; run: chmod go-w " + folder;
  }
  return {};
}

expected<UniqueFd, std::string> open_folder(const std::string& folder) {
  UniqueFd fd{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!fd) {
    return unexpected<std::string>("the folder " + folder + " of the socket cannot be used: " +
                                   reason(errno) + "; make it, with mode 0700");
  }
  if (auto problem = folder_problem(fd.get(), folder); !problem.empty()) {
    return unexpected<std::string>(std::move(problem));
  }
  return fd;
}

// An address inside an open folder: short whatever the path, and always in that very folder.
sockaddr_un address_of(int folder, const std::string& name) {
  sockaddr_un result{};
  result.sun_family = AF_UNIX;
  const auto* form = name.empty() ? "/proc/self/fd/%d%s" : "/proc/self/fd/%d/%s";
  std::snprintf(result.sun_path, sizeof result.sun_path, form, folder, name.c_str());
  return result;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Held for as long as the target lives; the kernel lets go of it however that ends.
expected<UniqueFd, ServerError> take_lock(int folder, const std::string& name,
                                          const std::string& path) {
  const auto lock_name = name + ".lock";
  const auto refused = [&](const std::string& why) {
    return unexpected<ServerError>(ServerError{Kind::refused, path + ".lock " + why});
  };
  for (int attempt = 0; attempt < 100; ++attempt) {
    UniqueFd fd{::openat(folder, lock_name.c_str(),
                         O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)};
    if (!fd) return refused("cannot be opened: " + reason(errno) + "; see what is there");
    struct stat held {};
    struct stat named {};
    if (::fstat(fd.get(), &held) != 0) return unexpected<ServerError>(failed(path, errno));
    if (!S_ISREG(held.st_mode) || held.st_uid != ::geteuid()) {
      return refused("is not a lock file of ours; see what is there and remove it");
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return unexpected<ServerError>(failed(path + ".lock", errno));
      return unexpected<ServerError>(
          ServerError{Kind::in_use, "another running target has the socket " + path +
                                        "; stop it, or give this one another dashboard.path"});
    }
    // The one before us may have removed it between our two calls.
    const bool there = ::fstatat(folder, lock_name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && same_file(held, named)) return fd;
  }
  return unexpected<ServerError>(failed(path + ".lock", EBUSY));
}

// Whether somebody answers on a socket that was found: then it is not ours to replace.
std::optional<ServerError> still_answers(int folder, const std::string& name,
                                         const std::string& path) {
  const UniqueFd found{::openat(folder, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  const UniqueFd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!found || !probe) return failed(path, errno);
  const auto address = address_of(found.get(), "");
  if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return ServerError{Kind::in_use, "somebody answers on the socket " + path +
                                         "; stop it, or give this one another dashboard.path"};
  }
  if (errno == ECONNREFUSED) return {};
  return ServerError{Kind::refused, "what is at " + path + " cannot be tried (" + reason(errno) +
                                        "), so it is not replaced; see whose it is"};
}

// What stands at the path; nothing: it is free, or may be replaced, then `stale` tells by what.
std::optional<ServerError> look(int folder, const std::string& name, const std::string& path,
                                BindMode mode, std::optional<struct stat>& stale) {
  struct stat found {};
  if (::fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return failed(path, errno);
  }
  const auto refused = [&](const std::string& why) {
    return ServerError{Kind::refused, "there is " + why + " at " + path +
                                          ", which is left alone; remove it, or choose another "
                                          "dashboard.path"};
  };
  if (!S_ISSOCK(found.st_mode)) return refused(kind_of(found.st_mode));
  if (mode == BindMode::create_new) return refused("a socket already (bind_mode: create_new)");
  if (found.st_uid != ::geteuid()) {
    return refused("a socket of user " + std::to_string(found.st_uid));
  }
  stale = found;
  return still_answers(folder, name, path);
}

// Binds and listens under a name that nobody knows; gives the name.
expected<std::string, ServerError> bind_hidden(int listener, int folder, const std::string& path,
                                               mode_t mode) {
  static std::atomic<unsigned> counter = 0;
  const auto fail = [&] { return unexpected<ServerError>(failed("cannot bind " + path, errno)); };
  // The kernel makes the file with the mode of the descriptor, less the umask: never wider than
  // asked for, not even for a moment.
  if (::fchmod(listener, mode) != 0) return fail();
  for (int attempt = 0; attempt < 16; ++attempt) {
    const auto hidden = "." + std::to_string(::getpid()) + "." + std::to_string(counter++);
    const auto address = address_of(folder, hidden);
    if (::bind(listener, generic(address), sizeof address) != 0) {
      if (errno == EADDRINUSE) continue;
      return fail();
    }
    if (::fchmodat(folder, hidden.c_str(), mode, 0) == 0 && ::listen(listener, backlog) == 0) {
      return hidden;
    }
    const int error = errno;
    ::unlinkat(folder, hidden.c_str(), 0);
    errno = error;
    return fail();
  }
  errno = EADDRINUSE;
  return fail();
}

// Moves the new socket to its name without ever removing what is not the stale socket that was
// looked at: if something else has come meanwhile, all stays as it is.
std::optional<ServerError> put_in_place(int folder, const std::string& hidden,
                                        const std::string& name, const std::string& path,
                                        const std::optional<struct stat>& stale) {
  const auto move = [&](unsigned flags) {
    return ::renameat2(folder, hidden.c_str(), folder, name.c_str(), flags) == 0;
  };
  const ServerError raced{Kind::refused, "something else appeared at " + path +
                                             " just now; it is left alone; see whose it is"};
  if (!stale) {
    if (move(RENAME_NOREPLACE)) return {};
    return errno == EEXIST ? raced : failed("cannot put a socket at " + path, errno);
  }
  if (!move(RENAME_EXCHANGE)) return failed("cannot replace the stale socket " + path, errno);
  struct stat old {};
  if (::fstatat(folder, hidden.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0 && same_file(old, *stale)) {
    ::unlinkat(folder, hidden.c_str(), 0);
    return {};
  }
  static_cast<void>(move(RENAME_EXCHANGE));
  return raced;
}

}  // namespace

std::string socket_path_problem(const std::string& path) {
  if (path.empty()) return "the socket has no path";
  if (path.size() > longest_path) {
    return "the path of the socket has " + std::to_string(path.size()) + " bytes, and at most " +
           std::to_string(longest_path) + " are possible: " + path;
  }
  const auto [folder, name] = split(path);
  if (name.empty() || name == "." || name == "..") return path + " is no path of a file";
  const auto fd = open_folder(folder);
  return fd ? std::string{} : fd.error();
}

expected<SocketFile, ServerError> SocketFile::bind(const std::string& path, std::uint32_t mode,
                                                   BindMode bind_mode) {
  const auto fail = [](ServerError error) { return unexpected<ServerError>(std::move(error)); };
  if (auto problem = socket_path_problem(path); !problem.empty()) {
    return fail({Kind::refused, std::move(problem)});
  }
  SocketFile result;
  result.path_ = path;
  std::string folder_path;
  std::tie(folder_path, result.name_) = split(path);
  auto folder = open_folder(folder_path);  // All that follows is about this very folder.
  if (!folder) return fail({Kind::refused, std::move(folder.error())});
  result.folder_ = std::move(*folder);
  const int dir = result.folder_.get();

  auto lock = take_lock(dir, result.name_, path);
  if (!lock) return fail(std::move(lock.error()));
  result.lock_ = std::move(*lock);
  std::optional<struct stat> stale;
  if (auto problem = look(dir, result.name_, path, bind_mode, stale)) {
    return fail(std::move(*problem));
  }
  UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!listener) return fail(failed("cannot make a socket", errno));
  const auto hidden = bind_hidden(listener.get(), dir, path, mode & 0777U);
  if (!hidden) return fail(hidden.error());
  struct stat made {};
  auto problem = ::fstatat(dir, hidden->c_str(), &made, AT_SYMLINK_NOFOLLOW) == 0
                     ? put_in_place(dir, *hidden, result.name_, path, stale)
                     : failed(path, errno);
  if (problem) {
    ::unlinkat(dir, hidden->c_str(), 0);
    return fail(std::move(*problem));
  }
  result.device_ = made.st_dev;
  result.inode_ = made.st_ino;
  result.listener_ = std::move(listener);
  return result;
}

expected<SocketFile, ServerError> SocketFile::adopt(UniqueFd listener) {
  auto path = path_of_given(listener.get());
  if (!path) return unexpected<ServerError>(ServerError{Kind::given, std::move(path.error())});
  const int flags = ::fcntl(listener.get(), F_GETFL);
  if (::fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(listener.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return unexpected<ServerError>(failed(*path, errno));
  }
  SocketFile result;
  result.path_ = std::move(*path);
  result.listener_ = std::move(listener);
  return result;
}

SocketFile::~SocketFile() {
  if (!lock_) return;  // Moved from, never bound, or adopted.
  const auto remove = [this](const std::string& name, dev_t device, ino_t inode) {
    struct stat found {};
    if (::fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (found.st_dev != device || found.st_ino != inode) return;  // Somebody else's by now.
    ::unlinkat(folder_.get(), name.c_str(), 0);
  };
  if (listener_) remove(name_, device_, inode_);
  // Still locked: whoever has opened it meanwhile sees that the name is gone, and takes a new one.
  struct stat held {};
  if (::fstat(lock_.get(), &held) == 0) remove(name_ + ".lock", held.st_dev, held.st_ino);
}

}  // namespace espalier::ipc
