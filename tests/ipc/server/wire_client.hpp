#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace espalier::ipc::testing {

/// The bare socket, as any stranger has it: bytes out, lines in.
class WireClient {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto patience = std::chrono::seconds{10};

  explicit WireClient(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ =
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Bytes that went out before the other side closed, or took nothing for `patience`.
  std::size_t send(std::string_view bytes) {
    std::size_t total = 0;
    while (total < bytes.size() && wait(POLLOUT, patience)) {
      const auto count = ::send(fd_.get(), bytes.data() + total, bytes.size() - total,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) break;
      total += static_cast<std::size_t>(count);
    }
    return total;
  }

  /// The next line without its newline; nothing: it did not come in time, or none comes any more.
  std::optional<std::string> line(Clock::duration limit = patience) {
    const auto until = Clock::now() + limit;
    while (true) {
      if (const auto end = buffer_.find('\n', taken_); end != std::string::npos) {
        auto result = buffer_.substr(taken_, end - taken_);
        taken_ = end + 1;
        return result;
      }
      buffer_.erase(0, taken_);
      taken_ = 0;
      if (ended_ || !wait(POLLIN, until - Clock::now()) || !receive()) return {};
    }
  }
  std::string ask(std::string_view request) {
    send(request);
    send("\n");
    return line().value_or("no answer");
  }
  /// Whether the other side closes within the limit; what comes before is skipped.
  bool closes(Clock::duration limit = patience) {
    const auto until = Clock::now() + limit;
    while (!ended_ && wait(POLLIN, until - Clock::now()))
      receive();
    return ended_;
  }
  void end_input() { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  bool wait(short what, Clock::duration limit) const {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    pollfd ready{.fd = fd_.get(), .events = what, .revents = 0};
    return ms > 0 && ::poll(&ready, 1, static_cast<int>(ms)) > 0;
  }
  bool receive() {
    const auto before = buffer_.size();
    buffer_.resize(before + 64UL * 1024);
    const auto count = ::recv(fd_.get(), buffer_.data() + before, buffer_.size() - before, 0);
    buffer_.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count <= 0) ended_ = true;
    return count > 0;
  }

  supervisor::UniqueFd fd_;
  bool connected_ = false;
  std::string buffer_ = {};
  std::size_t taken_ = 0;
  bool ended_ = false;
};

/// {"request_id":"ID","method":"METHOD","params":PARAMS}
inline std::string request(const std::string& id, const std::string& method,
                           const std::string& params = "{}") {
  return R"({"request_id":")" + id + R"(","method":")" + method + R"(","params":)" + params + "}";
}

}  // namespace espalier::ipc::testing
