#include "espalier/ipc/server/given_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace espalier::ipc {
namespace {

std::optional<int> option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0) return std::nullopt;
  return value;
}

std::string kind_of_file(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return "no open descriptor";
  if (S_ISFIFO(found.st_mode)) return "a FIFO";
  if (S_ISREG(found.st_mode)) return "a regular file";
  return "no socket";
}

std::string kind_of_socket(int domain, int type) {
  if (domain == AF_INET || domain == AF_INET6) {
    return type == SOCK_STREAM ? "a TCP socket" : "a UDP socket";
  }
  if (domain != AF_UNIX) return "a socket of address family " + std::to_string(domain);
  if (type == SOCK_DGRAM) return "a Unix datagram socket";
  if (type == SOCK_SEQPACKET) return "a Unix sequential packet socket";
  return "a Unix stream socket that does not listen";
}

}  // namespace

expected<std::string, std::string> path_of_given(int fd) {
  const auto refused = [](const std::string& what) {
    return unexpected<std::string>(
        "the socket that the service manager handed over is " + what +
        ", and a Unix stream socket that listens is needed; in its socket unit say for example "
        "ListenStream=/run/espalier/shop.sock and Accept=no");
  };
  const auto domain = option(fd, SO_DOMAIN);
  const auto type = option(fd, SO_TYPE);
  if (!domain || !type) return refused(kind_of_file(fd));
  const bool listens = option(fd, SO_ACCEPTCONN).value_or(0) != 0;
  if (domain != AF_UNIX || type != SOCK_STREAM || !listens) {
    return refused(kind_of_socket(*domain, *type));
  }
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return refused("without an address");
  }
  // An abstract name has no file, hence no mode that keeps others out.
  if (size <= offsetof(sockaddr_un, sun_path) || address.sun_path[0] != '/') {
    return refused("one without a file, which anybody may connect to");
  }
  const auto* const begin = static_cast<const char*>(address.sun_path);
  const std::size_t room =
      std::min<std::size_t>(size - offsetof(sockaddr_un, sun_path), sizeof address.sun_path);
  return std::string{begin, std::find(begin, begin + room, '\0')};
}

}  // namespace espalier::ipc
