#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstdint>

namespace espalier::ipc {

/// A token bucket that refuses (control C6). O(1), no allocation. `now` must not go backwards.
class RateLimiter {
 public:
  RateLimiter(double per_second, std::uint32_t burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// Zero: taken. Otherwise nothing is taken, and the next token is there after the result.
  [[nodiscard]] supervisor::Duration take(supervisor::TimePoint now);

 private:
  double per_second_;
  double burst_;
  double tokens_;
  supervisor::TimePoint filled_at_ = {};
  bool begun_ = false;
};

}  // namespace espalier::ipc
