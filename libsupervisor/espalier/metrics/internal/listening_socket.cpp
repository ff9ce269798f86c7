#include "espalier/metrics/internal/listening_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace espalier::metrics::internal {

namespace {

using supervisor::ListenAddress;
using supervisor::UniqueFd;

constexpr int backlog = 128;

std::string reason(int error) {
  return std::generic_category().message(error);
}

UniqueFd make_socket(int family) {
  return UniqueFd{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

/// Any of the addresses that are used here, as the system wants it.
struct Address {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un file;
  } as = {};
  socklen_t size = 0;
};

Address net_address(const ListenAddress& address) {
  Address result;
  if (address.is_ipv6()) {
    result.as.v6 = {};
    result.as.v6.sin6_family = AF_INET6;
    result.as.v6.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &result.as.v6.sin6_addr);
    result.size = sizeof result.as.v6;
  } else {
    result.as.v4 = {};
    result.as.v4.sin_family = AF_INET;
    result.as.v4.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &result.as.v4.sin_addr);
    result.size = sizeof result.as.v4;
  }
  return result;
}

Address file_address(const std::string& path) {
  Address result;
  result.as.file = {};
  result.as.file.sun_family = AF_UNIX;
  std::strncpy(result.as.file.sun_path, path.c_str(), sizeof result.as.file.sun_path - 1);
  result.size = sizeof result.as.file;
  return result;
}

// What is at the path already, as a problem; empty: nothing, or a socket that nobody answers on.
std::string problem_at(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? "" : reason(errno);
  if (!S_ISSOCK(found.st_mode)) return "there is something else, which is left alone; remove it";
  if (found.st_uid != ::geteuid()) {
    return "there is a socket of user " + std::to_string(found.st_uid) + "; choose another path";
  }
  const auto probe = make_socket(AF_UNIX);
  const auto address = file_address(path);
  if (!probe) return reason(errno);
  if (::connect(probe.get(), &address.as.any, address.size) == 0 || errno == EAGAIN) {
    return "somebody answers there; stop that program, or choose another path";
  }
  return errno == ECONNREFUSED || errno == ENOENT ? "" : reason(errno);
}

}  // namespace

expected<ListeningSocket, std::string> ListeningSocket::open(const ListenAddress& address) {
  ListeningSocket result;
  result.address_ = address;
  const auto problem = address.unix_path.empty() ? result.open_net() : result.open_unix();
  if (problem.empty()) return result;
  return unexpected<std::string>("cannot listen on " + address.text() + ": " + problem);
}

expected<ListeningSocket, std::string> ListeningSocket::adopt(UniqueFd fd) {
  const auto refuse = [](const std::string& why) {
    return unexpected<std::string>("the socket that was handed over for metrics " + why);
  };
  Address found;
  found.size = sizeof found.as;
  int listens = 0;
  socklen_t size = sizeof listens;
  const bool is_listener =
      ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
  if (!is_listener || ::getsockname(fd.get(), &found.as.any, &found.size) != 0) {
    return refuse("does not listen; see its socket unit");
  }
  ListeningSocket result;
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (found.as.any.sa_family == AF_UNIX) {
    result.address_.unix_path = found.as.file.sun_path;
  } else if (found.as.any.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &found.as.v4.sin_addr, text.data(), text.size());
    result.address_.port = ntohs(found.as.v4.sin_port);
  } else if (found.as.any.sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &found.as.v6.sin6_addr, text.data(), text.size());
    result.address_.port = ntohs(found.as.v6.sin6_port);
  } else {
    return refuse("is neither IP nor a Unix socket; see its socket unit");
  }
  result.address_.host = text.data();
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  result.fd_ = std::move(fd);
  return result;
}

int ListeningSocket::family() const {
  if (!address_.unix_path.empty()) return AF_UNIX;
  return address_.is_ipv6() ? AF_INET6 : AF_INET;
}

std::string ListeningSocket::open_net() {
  fd_ = make_socket(family());
  if (!fd_) return reason(errno);
  const int yes = 1;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (family() == AF_INET6) ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  auto address = net_address(address_);
  if (::bind(fd_.get(), &address.as.any, address.size) != 0) {
    if (errno == EADDRINUSE) return "another program has this port; stop it, or choose another";
    if (errno == EADDRNOTAVAIL) return "this machine does not have that address; choose another";
    if (errno == EACCES) return reason(errno) + "; choose a port above 1023";
    return reason(errno);
  }
  if (::listen(fd_.get(), backlog) != 0) return reason(errno);
  if (::getsockname(fd_.get(), &address.as.any, &address.size) == 0) {
    address_.port = ntohs(family() == AF_INET6 ? address.as.v6.sin6_port : address.as.v4.sin_port);
  }
  return {};
}

// Bound under a name that nobody knows: who connects finds it listening, with its final mode.
std::string ListeningSocket::open_unix() {
  const auto& path = address_.unix_path;
  if (auto problem = problem_at(path); !problem.empty()) return problem;
  fd_ = make_socket(AF_UNIX);
  if (!fd_) return reason(errno);
  const auto hidden = path.substr(0, path.rfind('/') + 1) + ".m" + std::to_string(::getpid());
  if (hidden.size() >= sizeof(sockaddr_un::sun_path)) return "its path is too long";
  const auto address = file_address(hidden);
  static_cast<void>(::unlink(hidden.c_str()));
  // The kernel makes the file with the mode of the descriptor.
  if (::fchmod(fd_.get(), 0600) != 0) return reason(errno);
  if (::bind(fd_.get(), &address.as.any, address.size) != 0) {
    return reason(errno) + "; the folder must be there, and writable for this user";
  }
  struct stat made {};
  const bool placed = ::listen(fd_.get(), backlog) == 0 && ::lstat(hidden.c_str(), &made) == 0 &&
                      ::rename(hidden.c_str(), path.c_str()) == 0;
  if (!placed) {
    const int error = errno;
    ::unlink(hidden.c_str());
    return reason(error);
  }
  device_ = made.st_dev;
  inode_ = made.st_ino;
  return {};
}

ListeningSocket::~ListeningSocket() {
  if (!fd_ || inode_ == 0) return;
  struct stat found {};
  const auto& path = address_.unix_path;
  const bool ours =
      ::lstat(path.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
  if (ours) ::unlink(path.c_str());
}

}  // namespace espalier::metrics::internal
