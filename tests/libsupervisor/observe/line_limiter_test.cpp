#include "espalier/supervisor/observe/internal/line_limiter.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace espalier::supervisor::internal {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{1000s};

int passed(LineLimiter& limiter, const std::string& kind, int lines, TimePoint now) {
  int count = 0;
  for (int i = 0; i < lines; ++i)
    count += limiter.passes(kind, Severity::info, now) ? 1 : 0;
  return count;
}

TEST(LineLimiter, LetsSoManyOfEachKindPassWithinAWindow) {
  LineLimiter limiter{3, 10s};
  EXPECT_EQ(passed(limiter, "a", 5, start), 3);
  EXPECT_EQ(passed(limiter, "b", 2, start), 2) << "each kind has its own";
  EXPECT_EQ(passed(limiter, "a", 1, start + 10s - 1ns), 0);
  EXPECT_EQ(passed(limiter, "a", 5, start + 10s), 3) << "a new window";
}

TEST(LineLimiter, TellsWhatWasLeftOutOnceTheWindowIsOver) {
  LineLimiter limiter{1, 10s};
  static_cast<void>(limiter.passes("a", Severity::info, start));
  static_cast<void>(limiter.passes("a", Severity::error, start + 1s));
  static_cast<void>(limiter.passes("a", Severity::info, start + 2s));
  static_cast<void>(limiter.passes("b", Severity::info, start + 2s));
  EXPECT_TRUE(limiter.take_ended(start + 9s).empty());
  const auto ended = limiter.take_ended(start + 10s);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].kind, "a");
  EXPECT_EQ(ended[0].lines, 2U);
  EXPECT_EQ(ended[0].worst, Severity::error);
  EXPECT_TRUE(limiter.take_ended(start + 1h).empty()) << "told once, and of b nothing was left out";
  EXPECT_EQ(limiter.left_out(), 2U);
}

TEST(LineLimiter, ForgetsNothingWhereANewWindowBeginsBeforeAnybodyAsks) {
  LineLimiter limiter{1, 10s};
  EXPECT_EQ(passed(limiter, "a", 4, start), 1);
  EXPECT_EQ(passed(limiter, "a", 3, start + 20s), 1);
  const auto ended = limiter.take_ended(start + 20s);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].lines, 3U);
  EXPECT_EQ(limiter.take_ended(start + 30s).at(0).lines, 2U);
}

TEST(LineLimiter, WithoutALimitAllPass) {
  LineLimiter limiter{0, 10s};
  EXPECT_EQ(passed(limiter, "a", 100'000, start), 100'000);
}

// A storm of names must not become a storm of memory.
TEST(LineLimiter, OfMoreKindsThanItKnowsAllCountAsOne) {
  LineLimiter limiter{2, 10s};
  for (std::size_t i = 0; i < LineLimiter::max_kinds; ++i)
    ASSERT_EQ(passed(limiter, std::to_string(i), 1, start), 1);
  EXPECT_EQ(passed(limiter, "x", 1, start), 1);
  EXPECT_EQ(passed(limiter, "y", 1, start), 1);
  EXPECT_EQ(passed(limiter, "z", 1, start), 0);
  EXPECT_EQ(passed(limiter, "7", 1, start), 1) << "those it knows have their own still";
  const auto ended = limiter.take_ended(start + 10s);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].kind, "");
  EXPECT_EQ(passed(limiter, "z", 3, start + 10s), 2) << "there is room again";
}

}  // namespace
}  // namespace espalier::supervisor::internal
