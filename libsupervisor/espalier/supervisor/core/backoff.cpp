#include "espalier/supervisor/core/backoff.hpp"

#include <algorithm>

namespace espalier::supervisor {

std::uint64_t RandomSource::next() {
  state_ += 0x9E3779B97F4A7C15u;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

Duration RandomSource::between(Duration low, Duration high) {
  if (high <= low) return low;
  const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + Duration{static_cast<Duration::rep>(next() % span)};
}

namespace {

// initial * 2^(in_a_row - 1), at most max, without overflow.
Duration exponential(const Backoff& policy, std::uint64_t in_a_row) {
  auto delay = std::min(policy.initial, policy.max);
  for (std::uint64_t i = 1; i < in_a_row && delay < policy.max && delay.count() > 0; ++i) {
    delay = delay > policy.max / 2 ? policy.max : delay * 2;
  }
  return delay;
}

}  // namespace

Duration backoff_delay(const Backoff& policy, std::uint64_t in_a_row, Duration previous,
                       RandomSource& random) {
  const auto delay = exponential(policy, in_a_row);
  switch (policy.jitter) {
    case Jitter::none:
      return delay;
    case Jitter::full:
      return random.between(Duration::zero(), delay);
    case Jitter::equal:
      return random.between(delay / 2, delay);
    case Jitter::decorrelated: {
      const auto low = std::min(policy.initial, policy.max);
      const auto before = std::clamp(previous, low, policy.max);
      const auto high = before > policy.max / 3 ? policy.max : before * 3;
      return random.between(low, high);
    }
  }
  return delay;
}

}  // namespace espalier::supervisor
