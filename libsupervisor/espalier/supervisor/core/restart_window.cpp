#include "espalier/supervisor/core/restart_window.hpp"

#include <algorithm>

namespace espalier::supervisor {

bool RestartWindow::record(const RestartLimit& limit, TimePoint now) {
  forget_old(limit, now);
  if (size_ >= limit.max_restarts) return false;
  if (size_ == ring_.size()) grow();
  ring_[(first_ + size_) % ring_.size()] = now;
  ++size_;
  return true;
}

std::uint64_t RestartWindow::count(const RestartLimit& limit, TimePoint now) {
  forget_old(limit, now);
  return size_;
}

void RestartWindow::clear() {
  first_ = 0;
  size_ = 0;
}

void RestartWindow::forget_old(const RestartLimit& limit, TimePoint now) {
  while (size_ > 0 && now - ring_[first_] > limit.window) {
    first_ = (first_ + 1) % ring_.size();
    --size_;
  }
}

void RestartWindow::grow() {
  std::vector<TimePoint> bigger(std::max<std::size_t>(4, ring_.size() * 2));
  for (std::size_t i = 0; i < size_; ++i)
    bigger[i] = ring_[(first_ + i) % ring_.size()];
  ring_ = std::move(bigger);
  first_ = 0;
}

}  // namespace espalier::supervisor
