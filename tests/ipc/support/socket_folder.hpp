#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace espalier::ipc::testing {

/// A folder with a short path, mode 0700, that goes with the test.
class SocketFolder {
 public:
  SocketFolder() {
    char name[] = "/tmp/espalier-test-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("no folder in /tmp");
    path_ = name;
  }
  ~SocketFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A socket that listens at `path`, whatever was there before.
inline int listen_at(const std::string& path, int backlog = 64) {
  ::unlink(path.c_str());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, backlog) != 0) {
    throw std::runtime_error("cannot listen at " + path);
  }
  return fd;
}

}  // namespace espalier::ipc::testing
