#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace espalier::cli {

/// The socket of a service manager (an abstract one), named in the environment of this process.
class FakeManager {
 public:
  explicit FakeManager(const std::map<std::string, std::string>& environment = {})
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    // Without a name of ours the kernel chooses an abstract one.
    socklen_t size = sizeof address.sun_family;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, generic, size) != 0) throw std::runtime_error("cannot bind a socket");
    size = sizeof address;
    ::getsockname(fd_, generic, &size);
    const std::string chosen(address.sun_path + 1, address.sun_path + size - sizeof(sa_family_t));
    ::setenv("NOTIFY_SOCKET", ("@" + chosen).c_str(), 1);
    for (const auto& [name, value] : environment)
      ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~FakeManager() { ::close(fd_); }
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;

  /// To be called often: the kernel keeps ten messages, and more are lost.
  void listen() {
    char buffer[4096];
    for (ssize_t size = 0; (size = ::recv(fd_, buffer, sizeof buffer, 0)) > 0;)
      messages_.emplace_back(buffer, static_cast<std::size_t>(size));
  }
  /// What has come since the last question.
  std::vector<std::string> heard() {
    listen();
    return std::exchange(messages_, {});
  }
  std::vector<std::string> heard_with(const std::string& begin) {
    auto messages = heard();
    messages.erase(std::remove_if(messages.begin(), messages.end(),
                                  [&](const std::string& x) { return x.rfind(begin, 0) != 0; }),
                   messages.end());
    return messages;
  }
  std::size_t count(const std::string& message) {
    const auto messages = heard();
    return static_cast<std::size_t>(std::count(messages.begin(), messages.end(), message));
  }

 private:
  int fd_;
  std::vector<std::string> messages_ = {};
};

}  // namespace espalier::cli
