#include "espalier/supervisor/core/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

std::vector<Duration> sequence(const Backoff& policy, int count, std::uint64_t seed) {
  RandomSource random{seed};
  std::vector<Duration> delays;
  Duration previous{};
  for (int k = 1; k <= count; ++k) {
    previous = backoff_delay(policy, static_cast<std::uint64_t>(k), previous, random);
    delays.push_back(previous);
  }
  return delays;
}

TEST(Backoff, DoublesUpToTheMaximum) {
  EXPECT_EQ(sequence({100ms, 1s, Jitter::none, 1s}, 6, 1),
            (std::vector<Duration>{100ms, 200ms, 400ms, 800ms, 1s, 1s}));
}

TEST(Backoff, ZeroStaysZeroAndHugeCountsDoNotOverflow) {
  RandomSource random{1};
  EXPECT_EQ(backoff_delay({0ms, 5s, Jitter::none, 1s}, 1'000'000, {}, random), 0ms);
  EXPECT_EQ(backoff_delay({1ns, Duration::max(), Jitter::none, 1s}, 1'000'000, {}, random),
            Duration::max());
}

class JitterBounds : public testing::TestWithParam<Jitter> {};

TEST_P(JitterBounds, StaysWithinItsRangeAndUsesIt) {
  const Backoff policy{100ms, 1s, GetParam(), 1s};
  Duration least = Duration::max();
  Duration most{};
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    RandomSource random{seed};
    const auto delay = backoff_delay(policy, 3, 150ms, random);  // Without jitter: 400 ms.
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  Duration low = 0ms;
  Duration high = 400ms;
  if (GetParam() == Jitter::equal) low = 200ms;
  if (GetParam() == Jitter::decorrelated) {
    low = 100ms;
    high = 450ms;
  }
  EXPECT_GE(least, low);
  EXPECT_LE(most, high);
  EXPECT_LT(least, low + 10ms);
  EXPECT_GT(most, high - 10ms);
}
INSTANTIATE_TEST_SUITE_P(All, JitterBounds,
                         testing::Values(Jitter::full, Jitter::equal, Jitter::decorrelated));

TEST(Backoff, NeverExceedsTheMaximumWhateverTheJitter) {
  for (const auto jitter : {Jitter::full, Jitter::equal, Jitter::decorrelated}) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      for (const auto delay : sequence({100ms, 1s, jitter, 1s}, 20, seed))
        EXPECT_LE(delay, 1s);
    }
  }
}

TEST(Backoff, TheSameSeedGivesTheSameDelays) {
  const Backoff policy{100ms, 10s, Jitter::full, 1s};
  EXPECT_EQ(sequence(policy, 10, 42), sequence(policy, 10, 42));
  EXPECT_NE(sequence(policy, 10, 42), sequence(policy, 10, 43));
}

}  // namespace
}  // namespace espalier::supervisor
