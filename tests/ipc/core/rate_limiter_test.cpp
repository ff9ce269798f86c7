#include "espalier/ipc/core/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using supervisor::Duration;
using supervisor::TimePoint;

const TimePoint start{1h};

int taken_at(RateLimiter& limiter, TimePoint now, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i)
    taken += limiter.take(now) == 0ns ? 1 : 0;
  return taken;
}

TEST(rate_limiter, the_burst_is_there_at_once_and_no_more) {
  RateLimiter limiter{100, 20};
  EXPECT_EQ(taken_at(limiter, start, 100), 20);
  EXPECT_EQ(limiter.take(start), 10ms);
}

TEST(rate_limiter, silence_does_not_save_up_more_than_the_burst) {
  RateLimiter limiter{100, 20};
  EXPECT_EQ(taken_at(limiter, start, 100), 20);
  EXPECT_EQ(taken_at(limiter, start + 1h, 100), 20);
}

TEST(rate_limiter, the_time_it_names_is_enough_and_not_too_much) {
  std::mt19937 random{3};  // NOLINT: the same every time
  for (int round = 0; round < 500; ++round) {
    const auto per_second = 0.1 + static_cast<double>(random() % 5000);
    RateLimiter limiter{per_second, static_cast<std::uint32_t>(1 + random() % 50)};
    auto now = start;
    for (int i = 0; i < 50; ++i) {
      now += Duration{static_cast<std::int64_t>(random() % 1'000'000)};
      const auto wait = limiter.take(now);
      if (wait == 0ns) continue;
      RateLimiter early = limiter;
      ASSERT_NE(early.take(now + wait / 2), 0ns);
      now += wait;
      ASSERT_EQ(limiter.take(now), 0ns) << wait.count();
    }
  }
}

TEST(rate_limiter, never_more_than_burst_and_rate_allow) {
  std::mt19937 random{4};  // NOLINT
  RateLimiter limiter{1000, 200};
  auto now = start;
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    now += Duration{static_cast<std::int64_t>(random() % 200'000)};
    taken += limiter.take(now) == 0ns ? 1 : 0;
  }
  const auto allowed = 200 + std::chrono::duration<double>{now - start}.count() * 1000;
  EXPECT_LE(taken, allowed + 1);
  EXPECT_GE(taken, allowed - 2);  // Asked ten times as often, it gives all there is.
}

TEST(rate_limiter, a_refusal_takes_nothing) {
  RateLimiter limiter{1, 1};
  EXPECT_EQ(limiter.take(start), 0ns);
  for (int i = 1; i < 10; ++i)
    EXPECT_NE(limiter.take(start + i * 100ms), 0ns);
  EXPECT_EQ(limiter.take(start + 1s), 0ns);
}

TEST(rate_limiter, no_rate_gives_the_burst_and_then_nothing) {
  RateLimiter limiter{0, 2};
  EXPECT_EQ(taken_at(limiter, start, 5), 2);
  EXPECT_EQ(limiter.take(start + 24h), Duration::max());
}

}  // namespace
}  // namespace espalier::ipc
