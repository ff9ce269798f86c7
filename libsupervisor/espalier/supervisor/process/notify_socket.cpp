#include "espalier/supervisor/process/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace espalier::supervisor {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

uid_t sender_of(msghdr& header) {
  for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred sender = {};
    std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
    return sender.uid;
  }
  return static_cast<uid_t>(-1);
}

}  // namespace

NotifySocket::NotifySocket(const std::string& name)
    : fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)}, address_{"@" + name} {
  if (!fd_) fail("cannot open a notify socket");
  const int on = 1;
  if (::setsockopt(fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    fail("cannot prepare a notify socket");
  }
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const auto length = std::min(name.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, name.data(), length);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  if (::bind(fd_.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), size) != 0) {
    fail("cannot bind a notify socket");
  }
}

std::optional<NotifyMessage> NotifySocket::receive(uid_t uid) {
  for (;;) {
    char text[4096];
    // Room for the sender only: file descriptors sent along are dropped by the kernel, which is
    // also what somebody waiting at an sd_notify barrier waits for.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    iovec part = {text, sizeof text};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const auto size = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    if ((header.msg_flags & MSG_TRUNC) != 0) continue;
    const auto sender = sender_of(header);
    if (sender != uid && sender != 0 && sender != ::geteuid()) continue;
    return parse_notify_message({text, static_cast<std::size_t>(size)});
  }
}

}  // namespace espalier::supervisor
