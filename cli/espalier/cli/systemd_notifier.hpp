#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <optional>
#include <string>

namespace espalier::cli {

/// Speaks the notify protocol to the service manager that started this program, if one did.
///
/// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID once and removes them from the environment,
/// so that a child cannot speak in our name. Make it before the first thread. Messages are sent
/// without waiting; one that cannot be delivered is lost, as the protocol has it. Thread-safe.
class SystemdNotifier {
 public:
  SystemdNotifier();
  ~SystemdNotifier();
  SystemdNotifier(const SystemdNotifier&) = delete;
  SystemdNotifier& operator=(const SystemdNotifier&) = delete;

  [[nodiscard]] bool active() const { return fd_ >= 0; }
  /// Lines such as "READY=1\nSTATUS=up".
  void send(const std::string& message) const;
  /// How often to send WATCHDOG=1: half of what the manager asks for.
  [[nodiscard]] std::optional<supervisor::Duration> watchdog_interval() const { return watchdog_; }

 private:
  void connect_to(const std::string& address);

  int fd_ = -1;
  std::optional<supervisor::Duration> watchdog_;
};

}  // namespace espalier::cli
