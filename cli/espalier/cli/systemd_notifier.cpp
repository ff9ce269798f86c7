#include "espalier/cli/systemd_notifier.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace espalier::cli {
namespace {

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace

SystemdNotifier::SystemdNotifier() {
  const std::string address = take_variable("NOTIFY_SOCKET");
  const std::string interval = take_variable("WATCHDOG_USEC");
  const std::string pid = take_variable("WATCHDOG_PID");
  connect_to(address);
  const long long microseconds = std::strtoll(interval.c_str(), nullptr, 10);
  const bool meant_for_us = pid.empty() || pid == std::to_string(getpid());
  if (active() && meant_for_us && microseconds > 0) {
    watchdog_ = std::chrono::microseconds{microseconds} / 2;
  }
}

SystemdNotifier::~SystemdNotifier() {
  if (fd_ >= 0) close(fd_);
}

void SystemdNotifier::connect_to(const std::string& address) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  const bool usable = address.size() > 1 && (address[0] == '/' || address[0] == '@');
  if (!usable || address.size() >= sizeof name.sun_path) return;
  std::memcpy(name.sun_path, address.data(), address.size());
  if (address[0] == '@') name.sun_path[0] = '\0';  // The abstract namespace.
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&name));
  if (connect(fd_, generic, length) == 0) return;
  close(fd_);
  fd_ = -1;
}

void SystemdNotifier::send(const std::string& message) const {
  if (fd_ < 0) return;
  static_cast<void>(::send(fd_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace espalier::cli
