#include "espalier/cli/top/top_feed.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace espalier::cli {

TopInbox::TopInbox() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void TopInbox::post(TopInput input) {
  const std::lock_guard lock(mutex_);
  inputs_.push_back(std::move(input));
  const std::uint64_t one = 1;
  if (::write(fd_.get(), &one, sizeof one) < 0) return;  // It is readable already.
}

std::vector<TopInput> TopInbox::take() {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  if (::read(fd_.get(), &count, sizeof count) < 0) return std::exchange(inputs_, {});
  return std::exchange(inputs_, {});
}

bool TopLine::hold(Session& session) {
  const std::lock_guard lock(mutex_);
  if (!cut_) fd_ = session.client().fd();
  return !cut_;
}

void TopLine::release() {
  const std::lock_guard lock(mutex_);
  fd_ = -1;
}

void TopLine::cut() {
  const std::lock_guard lock(mutex_);
  cut_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

bool TopLine::is_cut() const {
  const std::lock_guard lock(mutex_);
  return cut_;
}

}  // namespace espalier::cli
