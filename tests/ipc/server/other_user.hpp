#pragma once

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::testing {

inline constexpr uid_t nobody = 65534;

/// Tests with other users can only run as root.
#define ESPALIER_NEEDS_ROOT() \
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become other users"

/// A process that does one thing, maybe as another user. Ended with the object.
class Helper {
 public:
  struct As {
    uid_t uid = ::geteuid();
    gid_t gid = ::getegid();
    std::vector<gid_t> groups = {};
  };
  /// `work` gives the exit code, below 100. It runs in a copy of this process with one thread.
  Helper(const As& as, const std::function<int()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    const bool other = as.uid != ::geteuid();
    if (other && (::setgroups(as.groups.size(), as.groups.data()) != 0 || ::setgid(as.gid) != 0 ||
                  ::setuid(as.uid) != 0)) {
      ::_exit(100);
    }
    ::_exit(work());
  }
  explicit Helper(const std::function<int()>& work) : Helper(As{}, work) {}
  Helper(Helper&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Helper& operator=(Helper&&) = delete;
  ~Helper() { kill(); }

  /// The exit code; 128 and the signal for one that was killed.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, 0), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

/// A folder of its own, removed with all that is in it.
class Folder {
 public:
  explicit Folder(mode_t mode = 0700) {
    std::string name = "/tmp/espalier-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
    ::chmod(path_.c_str(), mode);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream{path} << text;
}

/// As lstat; all zero where there is nothing.
inline struct stat look_at(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) found = {};
  return found;
}

}  // namespace espalier::ipc::testing
