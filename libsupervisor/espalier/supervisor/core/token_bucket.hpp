#pragma once

#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <algorithm>
#include <chrono>

namespace espalier::supervisor {

/// Restarts as tokens. A restart that finds none takes one in advance and is told when that one
/// will be there: so waiting restarts come in the order in which they asked, and none is lost.
///
/// `now` must not go backwards. O(1), no allocation.
class TokenBucket {
 public:
  explicit TokenBucket(const RestartBudget& budget) : budget_(budget), tokens_(budget.max_burst) {}

  /// Takes a token and says from when on it may be used.
  [[nodiscard]] TimePoint reserve(TimePoint now) {
    refill(now);
    tokens_ -= 1;
    if (tokens_ >= 0) return now;
    const std::chrono::duration<double> until{-tokens_ / budget_.recovery_rate_per_sec};
    return now + std::chrono::ceil<Duration>(until);
  }

  /// Gives back a token that was not used.
  void refund() { tokens_ = std::min(tokens_ + 1, budget_.max_burst); }

  /// Below zero: so many are owed.
  [[nodiscard]] double tokens(TimePoint now) {
    refill(now);
    return tokens_;
  }

  /// The tokens there are stay, at most a new maximum of them.
  void set(const RestartBudget& budget) {
    budget_ = budget;
    tokens_ = std::min(tokens_, budget.max_burst);
  }

 private:
  void refill(TimePoint now) {
    if (!begun_) {
      begun_ = true;
      filled_at_ = now;
    }
    const std::chrono::duration<double> passed = now - filled_at_;
    filled_at_ = now;
    tokens_ = std::min(tokens_ + passed.count() * budget_.recovery_rate_per_sec, budget_.max_burst);
  }

  RestartBudget budget_;  ///< Its rate is above zero: the loader and validate_spec see to that.
  double tokens_;
  TimePoint filled_at_ = {};
  bool begun_ = false;
};

}  // namespace espalier::supervisor
