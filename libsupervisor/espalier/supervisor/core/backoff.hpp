#pragma once

#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>

namespace espalier::supervisor {

/// A small seeded generator (SplitMix64): the same seed gives the same delays on every platform.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : state_(seed) {}
  /// Uniform in [low, high]; low when high is not greater.
  [[nodiscard]] Duration between(Duration low, Duration high);

 private:
  [[nodiscard]] std::uint64_t next();
  std::uint64_t state_;
};

/// The delay before restart number `in_a_row` (from 1) of a child. `previous` is the last delay,
/// which only decorrelated jitter looks at. Never below zero, never above policy.max.
[[nodiscard]] Duration backoff_delay(const Backoff& policy, std::uint64_t in_a_row,
                                     Duration previous, RandomSource& random);

}  // namespace espalier::supervisor
