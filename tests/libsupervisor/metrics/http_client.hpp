#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

namespace espalier::metrics::testing {

/// Bytes out, bytes in: knows nothing of HTTP and nothing of the listener.
class HttpClient {
 public:
  /// "http://127.0.0.1:9464", "http://[::1]:9464" or "unix:/PATH".
  explicit HttpClient(const std::string& url) {
    if (url.starts_with("unix:")) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::strncpy(address.sun_path, url.c_str() + 5, sizeof address.sun_path - 1);
      connect(AF_UNIX, &address, sizeof address);
      return;
    }
    const auto rest = url.substr(std::string{"http://"}.size());
    const auto colon = rest.rfind(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(rest.substr(colon + 1)));
    if (rest.front() == '[') {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      ::inet_pton(AF_INET6, rest.substr(1, colon - 2).c_str(), &address.sin6_addr);
      connect(AF_INET6, &address, sizeof address);
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      ::inet_pton(AF_INET, rest.substr(0, colon).c_str(), &address.sin_addr);
      connect(AF_INET, &address, sizeof address);
    }
  }
  void send(const std::string& text) const {
    static_cast<void>(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL));
  }
  /// All until the other side closes; "TIMEOUT" at the end where it does not within ten seconds.
  [[nodiscard]] std::string read_all() const {
    std::string text;
    while (read_some(text)) {
    }
    return text;
  }
  [[nodiscard]] std::string read_until(const std::string& end) const {
    std::string text;
    while (text.find(end) == std::string::npos && read_some(text)) {
    }
    return text;
  }

 private:
  void connect(int family, const void* address, socklen_t size) {
    fd_ = supervisor::UniqueFd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::connect(fd_.get(), static_cast<const sockaddr*>(address), size) != 0) {
      throw std::runtime_error(std::string{"connect: "} + std::strerror(errno));
    }
  }
  bool read_some(std::string& into) const {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) {
      into += "TIMEOUT";
      return false;
    }
    std::array<char, 65536> buffer;
    const auto count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    into.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }
  supervisor::UniqueFd fd_ = {};
};

/// What a program leaves behind that was killed.
inline void make_stale_socket(const std::string& path) {
  const supervisor::UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  static_cast<void>(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
}

/// A socket as a service manager hands it over, and where it is.
inline supervisor::UniqueFd make_listener(std::string& url) {
  supervisor::UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool made = ::bind(fd.get(), any, size) == 0 && ::listen(fd.get(), 8) == 0 &&
                    ::getsockname(fd.get(), any, &size) == 0;
  if (!made) throw std::runtime_error(std::strerror(errno));
  url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return fd;
}

}  // namespace espalier::metrics::testing
