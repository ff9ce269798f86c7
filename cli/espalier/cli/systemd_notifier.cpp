#include "espalier/cli/systemd_notifier.hpp"

#include "espalier/cli/taken_variable.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace espalier::cli {
namespace {

std::string microseconds(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

// CLOCK_MONOTONIC, as the protocol wants it.
std::string monotonic_now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return microseconds(std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec});
}

}  // namespace

SystemdNotifier::SystemdNotifier() {
  const std::string address = take_variable("NOTIFY_SOCKET");
  const std::string interval = take_variable("WATCHDOG_USEC");
  const std::string pid = take_variable("WATCHDOG_PID");
  connect_to(address);
  const long long asked = std::strtoll(interval.c_str(), nullptr, 10);
  const bool meant_for_us = pid.empty() || pid == std::to_string(getpid());
  if (active() && meant_for_us && asked > 0) watchdog_ = std::chrono::microseconds{asked} / 2;
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

void SystemdNotifier::ready() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::starting) move_to(Phase::ready, "READY=1");
}

void SystemdNotifier::reloading() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::ready) return;
  move_to(Phase::reloading, "RELOADING=1\nMONOTONIC_USEC=" + monotonic_now());
}

void SystemdNotifier::reloaded() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::reloading) move_to(Phase::ready, "READY=1");
}

void SystemdNotifier::stopping() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::stopping) move_to(Phase::stopping, "STOPPING=1");
}

void SystemdNotifier::extend_timeout(supervisor::Duration by) const {
  send("EXTEND_TIMEOUT_USEC=" + microseconds(by));
}

void SystemdNotifier::status(const std::string& line) const {
  send("STATUS=" + line);
}

void SystemdNotifier::alive() const {
  send("WATCHDOG=1");
}

void SystemdNotifier::move_to(Phase phase, const std::string& message) {
  phase_ = phase;
  send(message);
}

void SystemdNotifier::send(const std::string& message) const {
  if (fd_ < 0) return;
  static_cast<void>(::send(fd_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace espalier::cli
