#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace espalier::cli {

/// Speaks the notify protocol to the service manager that started this program, if one did.
///
/// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID once and removes them from the environment,
/// so that a child cannot speak in our name. Make it before the first thread. Messages are sent
/// without waiting; one that cannot be delivered is lost, as the protocol has it.
///
/// It knows where the program stands, and says nothing that would be wrong there: a reload during
/// the start does not make it ready, and nothing follows STOPPING that takes it back. Thread-safe.
class SystemdNotifier {
 public:
  SystemdNotifier();
  ~SystemdNotifier();
  SystemdNotifier(const SystemdNotifier&) = delete;
  SystemdNotifier& operator=(const SystemdNotifier&) = delete;

  [[nodiscard]] bool active() const { return fd_ >= 0; }
  /// How often to call `alive`: half of what the manager asks for.
  [[nodiscard]] std::optional<supervisor::Duration> watchdog_interval() const { return watchdog_; }

  void ready();      ///< READY=1, the first time.
  void reloading();  ///< RELOADING=1 with the time, where the program is ready.
  void reloaded();   ///< READY=1 after `reloading`, whether or not the reload changed anything.
  void stopping();   ///< STOPPING=1, the first time.
  /// So much longer than now may the start or the stop take, beyond what the unit allows.
  void extend_timeout(supervisor::Duration by) const;
  void status(const std::string& line) const;
  void alive() const;

 private:
  enum class Phase : std::uint8_t { starting, ready, reloading, stopping };
  void connect_to(const std::string& address);
  void move_to(Phase phase, const std::string& message);
  void send(const std::string& message) const;

  int fd_ = -1;
  std::optional<supervisor::Duration> watchdog_;
  std::mutex mutex_;
  Phase phase_ = Phase::starting;
};

}  // namespace espalier::cli
