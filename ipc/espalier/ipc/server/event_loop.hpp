#pragma once

#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace espalier::ipc {

/// Brings work and news to the thread of an EventLoop. It may outlive the loop: what comes then is
/// dropped. Every member may be called from any thread.
///
/// News are coalesced: the first wakes the loop, and until that asks for news again all further
/// ones cost one look at an atomic. A publisher of a million events a second does not feel its
/// reader.
class Mailbox {
 public:
  Mailbox();
  [[nodiscard]] bool is_usable() const { return static_cast<bool>(wake_fd_); }

  void post(std::function<void()> work);
  void news();
  /// Nothing is taken any more; what waits is dropped, unrun.
  void close();

  // For the loop.
  [[nodiscard]] int fd() const { return wake_fd_.get(); }
  [[nodiscard]] std::vector<std::function<void()>> take();
  /// Whether there were news; further ones are noted, and do not wake the loop.
  [[nodiscard]] bool take_news();
  /// The next news wake the loop. False: some have come meanwhile; it stays as it was.
  [[nodiscard]] bool arm();

 private:
  enum class News : std::uint8_t { armed, quiet, waiting };
  void wake() const;
  supervisor::UniqueFd wake_fd_;
  std::atomic<News> news_ = News::armed;
  std::mutex mutex_;
  std::vector<std::function<void()>> work_;
  bool closed_ = false;
};

/// Waits for descriptors: a thin coat over epoll, level-triggered. One thread.
class EventLoop {
 public:
  EventLoop();
  [[nodiscard]] bool is_usable() const { return static_cast<bool>(epoll_); }

  /// False: the system has no room for it. `token` comes back with what is ready.
  [[nodiscard]] bool add(int fd, std::uint32_t interest, std::uint64_t token) const;
  void change(int fd, std::uint32_t interest, std::uint64_t token) const;
  void remove(int fd) const;

  /// What is ready, valid until the next call; empty: `until` has come, or a signal. Without
  /// `until` it waits for as long as it takes.
  [[nodiscard]] std::span<const epoll_event> wait(std::optional<supervisor::TimePoint> until,
                                                  supervisor::TimePoint now);

 private:
  supervisor::UniqueFd epoll_;
  std::array<epoll_event, 64> ready_ = {};
};

}  // namespace espalier::ipc
