#include "espalier/pipeline/core/internal/adaptive_limit.hpp"
#include "espalier/pipeline/core/internal/circuit_breaker.hpp"
#include "libpipeline/core/support/chunks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace espalier::pipeline::testing {
namespace {

using State = CircuitBreaker::State;
using std::chrono::milliseconds;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void attempts(int count, bool success) {
    for (int i = 0; i < count; ++i) {
      ASSERT_GT(breaker_.allowed(now_), 0u);
      breaker_.record(breaker_.begin(1), success, now_);
    }
  }
  TimePoint now_ = at(0);
  CircuitBreaker breaker_{BreakerOptions{
      .threshold = 0.5, .window = 10, .minimum = 4, .open_for = milliseconds{100}, .probes = 2}};
};

TEST_F(CircuitBreakerTest, OpensAtTheShareOfFailuresButNotBeforeTheMinimum) {
  attempts(3, false);
  EXPECT_EQ(breaker_.state(), State::closed);
  attempts(1, false);
  EXPECT_EQ(breaker_.state(), State::open);
  EXPECT_EQ(breaker_.allowed(now_), 0u);
  EXPECT_EQ(breaker_.next(), at(100));
}

TEST_F(CircuitBreakerTest, OnlyTheLastAttemptsCount) {
  attempts(2, false);
  attempts(10, true);
  attempts(4, false);
  EXPECT_EQ(breaker_.state(), State::closed);
  attempts(1, false);
  EXPECT_EQ(breaker_.state(), State::open);
}

TEST_F(CircuitBreakerTest, LetsProbesThroughAndClosesWhenAllSucceed) {
  attempts(4, false);
  EXPECT_EQ(breaker_.allowed(at(99)), 0u);
  now_ = at(100);
  EXPECT_EQ(breaker_.allowed(now_), 2u);
  const auto one = breaker_.begin(1);
  const auto two = breaker_.begin(1);
  EXPECT_EQ(breaker_.allowed(now_), 0u);
  EXPECT_FALSE(breaker_.next()) << "it waits for answers, not for time";
  breaker_.record(one, true, now_);
  EXPECT_EQ(breaker_.state(), State::half_open);
  breaker_.record(two, true, now_);
  EXPECT_EQ(breaker_.state(), State::closed);
}

TEST_F(CircuitBreakerTest, AFailedProbeOpensItAgain) {
  attempts(4, false);
  now_ = at(100);
  ASSERT_EQ(breaker_.allowed(now_), 2u);
  breaker_.record(breaker_.begin(1), false, now_);
  EXPECT_EQ(breaker_.state(), State::open);
  EXPECT_EQ(breaker_.next(), at(200));
}

TEST_F(CircuitBreakerTest, WhatBeganEarlierSaysNothingOfNow) {
  const auto old = breaker_.begin(1);
  attempts(4, false);
  now_ = at(100);
  ASSERT_EQ(breaker_.allowed(now_), 2u);
  breaker_.record(old, true, now_);
  breaker_.record(old, false, now_);
  EXPECT_EQ(breaker_.state(), State::half_open);
}

TEST_F(CircuitBreakerTest, AProbeThatSaysNothingGivesItsPlaceBack) {
  attempts(4, false);
  now_ = at(100);
  ASSERT_EQ(breaker_.allowed(now_), 2u);
  const auto ticket = breaker_.begin(2);
  breaker_.forget(ticket);
  EXPECT_EQ(breaker_.allowed(now_), 1u);
}

/// A stage whose throughput grows with its workers up to `useful` and then falls.
struct Simulated {
  double useful = 8;
  double demand = 1e9;  ///< Items per second that come.

  void run(AdaptiveLimit& limit, int steps) const {
    for (int i = 0; i < steps; ++i) {
      const auto workers = static_cast<double>(limit.limit());
      const double slower = std::max(1.0, workers / useful);
      const double most = workers * 100 / slower;
      const double rate = std::min(most, demand);
      const double busy = workers * std::min(1.0, rate / most);
      AdaptiveLimit::Load load;
      load.queued = demand > most ? 100 : 0;
      load.attempts = static_cast<std::uint64_t>(rate / 10);
      load.service = Duration{static_cast<Duration::rep>(busy * 1e8)};
      static_cast<void>(limit.step(load, milliseconds{100}));
    }
  }
};

TEST(AdaptiveLimit, FindsAboutAsManyWorkersAsAreUseful) {
  AdaptiveLimit limit({.min = 1, .max = 64}, 1);
  Simulated{}.run(limit, 200);
  EXPECT_GE(limit.limit(), 7u);
  EXPECT_LE(limit.limit(), 11u);
}

TEST(AdaptiveLimit, ComesDownFromTooMany) {
  AdaptiveLimit limit({.min = 1, .max = 64}, 4);
  Simulated{.useful = 32}.run(limit, 100);
  const auto before = limit.limit();
  EXPECT_GE(before, 25u);
  Simulated{.useful = 4}.run(limit, 100);
  EXPECT_LT(limit.limit(), before / 2);
}

TEST(AdaptiveLimit, LetsIdleWorkersGo) {
  AdaptiveLimit limit({.min = 2, .max = 16}, 16);
  Simulated{.useful = 100, .demand = 450}.run(limit, 100);
  EXPECT_GE(limit.limit(), 5u);
  EXPECT_LE(limit.limit(), 7u);
  Simulated{.useful = 100, .demand = 10}.run(limit, 100);
  EXPECT_EQ(limit.limit(), 2u);
}

TEST(AdaptiveLimit, NeverLeavesItsBounds) {
  AdaptiveLimit limit({.min = 3, .max = 5}, 100);
  EXPECT_EQ(limit.limit(), 5u);
  Simulated{.useful = 100}.run(limit, 50);
  EXPECT_EQ(limit.limit(), 5u);
}

TEST(AdaptiveLimit, ChangesNothingWhileNothingHappens) {
  AdaptiveLimit limit({.min = 1, .max = 8}, 4);
  EXPECT_EQ(limit.step({}, milliseconds{100}), 4u);
}

}  // namespace
}  // namespace espalier::pipeline::testing
