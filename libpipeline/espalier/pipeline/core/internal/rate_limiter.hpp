#pragma once

#include "espalier/pipeline/core/options.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>

namespace espalier::pipeline {

/// A stage may take so many items now. Tokens come at a steady rate up to `burst`; each attempt of
/// an item takes one. `now` must not go backwards. O(1).
class RateLimiter {
 public:
  explicit RateLimiter(const RateLimit& limit)
      : limit_(limit), most_(std::max(limit.burst, 1.0)), tokens_(most_) {}

  [[nodiscard]] std::size_t available(TimePoint now) {
    refill(now);
    return static_cast<std::size_t>(tokens_ + slack);
  }
  /// Precondition: available.
  void take(std::size_t count) { tokens_ -= static_cast<double>(count); }
  /// When there is one again, if there is none now.
  [[nodiscard]] TimePoint next(TimePoint now) const {
    const std::chrono::duration<double> until{std::max(0.0, 1 - tokens_) / limit_.per_second};
    if (until > std::chrono::hours{24 * 365}) return now + std::chrono::hours{24 * 365};
    return now + std::chrono::ceil<Duration>(until);
  }

 private:
  // A token that is there but for the rounding of a nanosecond is there.
  static constexpr double slack = 1e-6;

  void refill(TimePoint now) {
    if (begun_) {
      const std::chrono::duration<double> passed = now - filled_at_;
      tokens_ = std::min(tokens_ + passed.count() * limit_.per_second, most_);
    }
    begun_ = true;
    filled_at_ = now;
  }

  RateLimit limit_;
  double most_;
  double tokens_;
  TimePoint filled_at_ = {};
  bool begun_ = false;
};

}  // namespace espalier::pipeline
