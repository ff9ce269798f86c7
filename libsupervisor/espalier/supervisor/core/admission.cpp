#include "espalier/supervisor/core/admission.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace espalier::supervisor {

namespace {

// A deadline is rounded to nanoseconds; at its time the token must be there.
constexpr double nearly_one = 1 - 1e-6;

bool is_below(const std::string& path, const std::string& top) {
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

}  // namespace

AdmissionGate::AdmissionGate(AdmissionSpec spec)
    : spec_(spec), tokens_(std::max(spec.burst, 1.0)) {}

void AdmissionGate::request(Id id, const std::string& path, TimePoint now) {
  refill(now);
  if (inside_.contains(id) || turns_.contains(id)) return;
  turns_[id] = ++last_turn_;
  queue_[last_turn_] = {id, path};
  give_up_above(path);
}

// They wait for this one, and it must not wait for them.
void AdmissionGate::give_up_above(const std::string& path) {
  if (spec_.max_concurrent_starts == 0) return;
  std::erase_if(inside_, [&](const auto& place) { return is_below(path, place.second); });
}

void AdmissionGate::end(Id id) {
  inside_.erase(id);
  const auto found = turns_.find(id);
  if (found == turns_.end()) return;
  queue_.erase(found->second);
  turns_.erase(found);
}

std::vector<AdmissionGate::Id> AdmissionGate::admitted(TimePoint now) {
  refill(now);
  std::vector<Id> result;
  while (!queue_.empty() && has_place()) {
    if (spec_.restarts_per_second > 0) {
      if (tokens_ < nearly_one) break;
      tokens_ = std::max(0.0, tokens_ - 1);
    }
    auto next = std::move(queue_.begin()->second);
    queue_.erase(queue_.begin());
    turns_.erase(next.id);
    result.push_back(next.id);
    inside_.emplace(next.id, std::move(next.path));
  }
  return result;
}

std::optional<TimePoint> AdmissionGate::next_deadline() const {
  if (queue_.empty() || !has_place() || !refilled_) return {};
  if (spec_.restarts_per_second <= 0 || tokens_ >= nearly_one) return refilled_;
  const auto seconds = (1 - tokens_) / spec_.restarts_per_second;
  return *refilled_ + Duration{static_cast<Duration::rep>(std::ceil(seconds * 1e9))};
}

void AdmissionGate::refill(TimePoint now) {
  if (refilled_ && now > *refilled_ && spec_.restarts_per_second > 0) {
    const auto seconds = std::chrono::duration<double>(now - *refilled_).count();
    tokens_ = std::min(std::max(spec_.burst, 1.0), tokens_ + seconds * spec_.restarts_per_second);
  }
  if (!refilled_ || now > *refilled_) refilled_ = now;
}

bool AdmissionGate::has_place() const {
  return spec_.max_concurrent_starts == 0 || inside_.size() < spec_.max_concurrent_starts;
}

}  // namespace espalier::supervisor
