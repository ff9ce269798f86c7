#include "espalier/ipc/server/acceptor.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace espalier::ipc {

namespace {

using supervisor::UniqueFd;

// Bounds what newcomers cost those who are connected.
constexpr int batch = 32;

UniqueFd reserve() {
  return UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

UniqueFd accept_one(int listener) {
  return UniqueFd{::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
}

// What the kernel knows of the peer, from the moment it connected.
bool identify(int fd, Peer& peer) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;
  peer.pid = credentials.pid;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.groups.resize(32);
  for (int attempt = 0; attempt < 2; ++attempt) {
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(std::uint32_t));
    const int result = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size);
    peer.groups.resize(size / sizeof(std::uint32_t));
    if (result == 0) return true;
    if (errno != ERANGE) break;
  }
  peer.groups.clear();  // An old kernel: the groups grant nothing.
  return true;
}

}  // namespace

void send_last_line(int fd, const std::string& line) {
  static_cast<void>(::send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

Acceptor::Acceptor(int listener, std::string refusal)
    : listener_(listener), refusal_(std::move(refusal)), spare_(reserve()) {}

bool Acceptor::accept(const Take& take) {
  if (!spare_) spare_ = reserve();
  for (int i = 0; i < batch; ++i) {
    auto fd = accept_one(listener_);
    if (!fd) {
      if (errno == EAGAIN) return true;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      shed();
      return false;
    }
    Peer peer;
    if (identify(fd.get(), peer)) take(std::move(fd), peer);
  }
  return true;
}

void Acceptor::shed() {
  spare_.reset();
  for (int i = 0; i < batch; ++i) {
    const auto fd = accept_one(listener_);
    if (!fd) break;
    send_last_line(fd.get(), refusal_);
  }
  spare_ = reserve();
}

}  // namespace espalier::ipc
