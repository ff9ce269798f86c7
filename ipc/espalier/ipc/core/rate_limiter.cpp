#include "espalier/ipc/core/rate_limiter.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace espalier::ipc {
namespace {

// Sums of fractions fall short of a whole token by less than this.
constexpr double rounding = 1e-6;
constexpr double longest_seconds = 86'400;

}  // namespace

supervisor::Duration RateLimiter::take(supervisor::TimePoint now) {
  using Seconds = std::chrono::duration<double>;
  if (begun_ && now > filled_at_) {
    tokens_ = std::min(burst_, tokens_ + per_second_ * Seconds{now - filled_at_}.count());
  }
  if (!begun_ || now > filled_at_) filled_at_ = now;
  begun_ = true;
  if (tokens_ >= 1 - rounding) {
    tokens_ = std::max(0.0, tokens_ - 1);
    return supervisor::Duration::zero();
  }
  if (burst_ < 1 || per_second_ <= 0) return supervisor::Duration::max();
  const Seconds wait{std::min((1 - tokens_) / per_second_, longest_seconds)};
  return std::chrono::ceil<supervisor::Duration>(wait);
}

}  // namespace espalier::ipc
