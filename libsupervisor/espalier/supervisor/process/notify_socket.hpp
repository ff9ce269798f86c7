#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/process/notify_message.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

namespace espalier::supervisor {

/// The receiving end of one process' sd_notify messages: a datagram socket with an abstract
/// address (no file to leave behind). One per process, so that the address tells who speaks.
class NotifySocket {
 public:
  /// Throws std::system_error when no socket can be had.
  explicit NotifySocket(const std::string& name);

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// As NOTIFY_SOCKET names it.
  [[nodiscard]] const std::string& address() const { return address_; }
  /// The next message from `uid`, root or ourselves; messages of others are passed over. Empty
  /// when there is none. Does not block.
  [[nodiscard]] std::optional<NotifyMessage> receive(uid_t uid);

 private:
  UniqueFd fd_;
  std::string address_;
};

}  // namespace espalier::supervisor
