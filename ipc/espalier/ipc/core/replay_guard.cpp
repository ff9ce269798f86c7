#include "espalier/ipc/core/replay_guard.hpp"

namespace espalier::ipc {

bool ReplayGuard::admit(const std::string& request_id, supervisor::TimePoint now) {
  while (!order_.empty() && now - order_.front().at >= window_)
    forget_oldest();
  const auto [place, is_new] = ids_.insert(request_id);
  if (!is_new) return false;
  order_.push_back({now, &*place});
  if (order_.size() > capacity_) forget_oldest();
  return true;
}

void ReplayGuard::forget_oldest() {
  ids_.erase(ids_.find(*order_.front().id));
  order_.pop_front();
}

}  // namespace espalier::ipc
