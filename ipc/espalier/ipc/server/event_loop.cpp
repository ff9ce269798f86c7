#include "espalier/ipc/server/event_loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace espalier::ipc {

Mailbox::Mailbox() : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Mailbox::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_fd_.get(), &one, sizeof one));
}

void Mailbox::post(std::function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    work_.push_back(std::move(work));
    if (work_.size() > 1) return;  // It has been woken and not yet come.
  }
  wake();
}

void Mailbox::news() {
  if (news_.load(std::memory_order_relaxed) == News::waiting) return;
  if (news_.exchange(News::waiting) == News::armed) wake();
}

void Mailbox::close() {
  std::vector<std::function<void()>> dropped;  // Destroyed outside the lock.
  const std::lock_guard lock{mutex_};
  closed_ = true;
  dropped.swap(work_);
}

std::vector<std::function<void()>> Mailbox::take() {
  std::uint64_t count = 0;
  static_cast<void>(::read(wake_fd_.get(), &count, sizeof count));
  const std::lock_guard lock{mutex_};
  return std::exchange(work_, {});
}

bool Mailbox::take_news() {
  auto expected = News::waiting;
  return news_.compare_exchange_strong(expected, News::quiet);
}

bool Mailbox::arm() {
  auto expected = News::quiet;
  return news_.compare_exchange_strong(expected, News::armed);
}

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

bool EventLoop::add(int fd, std::uint32_t interest, std::uint64_t token) const {
  epoll_event event{};
  event.events = interest;
  event.data.u64 = token;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::change(int fd, std::uint32_t interest, std::uint64_t token) const {
  epoll_event event{};
  event.events = interest;
  event.data.u64 = token;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::remove(int fd) const {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const epoll_event> EventLoop::wait(std::optional<supervisor::TimePoint> until,
                                             supervisor::TimePoint now) {
  using namespace std::chrono;
  int timeout = -1;
  if (until) {  // Rounded up: to wake too early would mean to wake twice.
    const auto left = std::clamp<supervisor::Duration>(*until - now, {}, hours{24});
    timeout = static_cast<int>(ceil<milliseconds>(left).count());
  }
  const int count =
      ::epoll_wait(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()), timeout);
  return {ready_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace espalier::ipc
