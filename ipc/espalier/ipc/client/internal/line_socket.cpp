#include "espalier/ipc/client/internal/line_socket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

namespace espalier::ipc::internal {
namespace {

using supervisor::TimePoint;
using Clock = std::chrono::steady_clock;

constexpr const char* how_to_choose =
    "Is the program started (`espalier run FILE --socket=PATH`)? Is it this socket? Choose "
    "another one with --socket or ESPALIER_SOCKET.";

unexpected<ClientError> fault(ClientError::Kind kind, std::string message) {
  return unexpected<ClientError>(ClientError{.kind = kind, .message = std::move(message)});
}

unexpected<ClientError> no_connection(const std::string& path, int reason) {
  switch (reason) {
    case ENOENT:
    case ENOTDIR:
      return fault(ClientError::Kind::not_running,
                   "There is no socket at " + path + ". " + how_to_choose);
    case ECONNREFUSED:
      return fault(ClientError::Kind::not_running,
                   "Nobody answers at " + path + ": what made it has ended. " + how_to_choose);
    case EACCES:
    case EPERM:
      return fault(ClientError::Kind::no_permission,
                   "You may not open " + path +
                       ": its mode, or that of a folder above it, keeps you out. Ask as the user "
                       "the program runs as, or let its configuration allow you (dashboard."
                       "permissions and dashboard.security).");
    default:
      return fault(
          ClientError::Kind::not_running,
          "Cannot connect to " + path + ": " + std::strerror(reason) + ". " + how_to_choose);
  }
}

}  // namespace

TimePoint deadline_after(supervisor::Duration limit) {
  constexpr auto year = std::chrono::hours{24 * 365};
  return Clock::now() + std::min<supervisor::Duration>(limit, year);
}

int poll_ms(TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

expected<LineSocket, ClientError> LineSocket::connect(const std::string& path, TimePoint deadline) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty()) {
    return fault(ClientError::Kind::not_running,
                 std::string("No socket is named. ") + how_to_choose);
  }
  if (path.size() >= sizeof address.sun_path) {
    return fault(ClientError::Kind::not_running,
                 "The path of a socket has at most 107 bytes, and this one more: " + path);
  }
  path.copy(address.sun_path, path.size());
  supervisor::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return no_connection(path, errno);
  while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return no_connection(path, errno);
    // Its queue of new connections is full; there is nothing to poll for.
    if (Clock::now() >= deadline) {
      return fault(ClientError::Kind::timed_out,
                   "The target at " + path + " takes no connection: it is busy or hangs.");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return LineSocket(std::move(fd), path);
}

expected<std::optional<std::string>, ClientError> LineSocket::read(TimePoint deadline) {
  while (true) {
    if (auto line = cut()) return line;
    if (ended_ || too_long_) return unexpected<ClientError>(why_ended());
    pollfd watched = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (!out_.empty()) watched.events |= POLLOUT;
    const int ready = ::poll(&watched, 1, poll_ms(deadline));
    if (ready < 0 && errno != EINTR) ended_ = true;
    if (ready > 0 && (watched.revents & POLLOUT) != 0) write_some();
    if (ready > 0 && (watched.revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_some();
    if (ready == 0 && Clock::now() >= deadline) return std::optional<std::string>();
  }
}

std::optional<std::string> LineSocket::cut() {
  const auto end = in_.find('\n', scanned_);
  if (end == std::string::npos || end - given_ > max_answer_bytes) {
    scanned_ = in_.size();
    too_long_ = too_long_ || in_.size() - given_ > max_answer_bytes;
    return {};
  }
  std::string line = in_.substr(given_, end - given_);
  given_ = scanned_ = end + 1;
  if (given_ == in_.size()) {
    in_.clear();
    given_ = scanned_ = 0;
  }
  return line;
}

ClientError LineSocket::why_ended() const {
  if (too_long_) {
    return {.kind = ClientError::Kind::protocol,
            .message = "What answers at " + path_ +
                       " sent a line of more than 64 MiB: that is no target."};
  }
  return {.kind = ClientError::Kind::closed,
          .message = "The target at " + path_ +
                     " closed the connection without a reason: it has ended or was killed."};
}

void LineSocket::write_some() {
  const auto sent = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent > 0) {
    out_.erase(0, static_cast<std::size_t>(sent));
  } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    out_.clear();  // Its last words may still be there to be read.
  }
}

void LineSocket::read_some() {
  constexpr std::size_t chunk = 128UL * 1024;
  if (given_ > chunk) {
    in_.erase(0, given_);
    scanned_ -= given_;
    given_ = 0;
  }
  const auto before = in_.size();
  in_.resize(before + chunk);
  const auto got = ::recv(fd_.get(), in_.data() + before, chunk, 0);
  in_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) ended_ = true;
}

}  // namespace espalier::ipc::internal
