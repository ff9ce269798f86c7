#include "espalier/supervisor/core/restart_window.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration d) {
  return TimePoint{d};
}

TEST(RestartWindow, AllowsTheLimitAndTripsOnTheNext) {
  RestartWindow window;
  const RestartLimit limit{2, 1s};
  EXPECT_TRUE(window.record(limit, at(0ms)));
  EXPECT_TRUE(window.record(limit, at(500ms)));
  EXPECT_FALSE(window.record(limit, at(900ms)));
}

TEST(RestartWindow, BothEndsOfTheWindowBelongToIt) {
  RestartWindow window;
  const RestartLimit limit{1, 1s};
  EXPECT_TRUE(window.record(limit, at(0ns)));
  EXPECT_FALSE(window.record(limit, at(1s)));
  EXPECT_TRUE(window.record(limit, at(1s + 1ns)));
}

TEST(RestartWindow, ALimitOfZeroAllowsNothing) {
  RestartWindow window;
  EXPECT_FALSE(window.record({0, 1s}, at(0s)));
}

TEST(RestartWindow, ForgetsWhenCleared) {
  RestartWindow window;
  EXPECT_TRUE(window.record({1, 1h}, at(0s)));
  window.clear();
  EXPECT_TRUE(window.record({1, 1h}, at(1s)));
}

// Against the plainest model there is: a list of instants, searched in full.
TEST(RestartWindow, AgreesWithAListOfInstants) {
  std::mt19937 random{7};
  for (int round = 0; round < 300; ++round) {
    const RestartLimit limit{static_cast<std::uint32_t>(random() % 40), Duration{random() % 50}};
    RestartWindow window;
    std::deque<Duration> model;
    Duration now{};
    for (int step = 0; step < 300; ++step) {
      now += Duration{random() % 6};
      while (!model.empty() && now - model.front() > limit.window)
        model.pop_front();
      const bool expected = model.size() < limit.max_restarts;
      if (expected) model.push_back(now);
      ASSERT_EQ(window.record(limit, at(now)), expected);
      ASSERT_EQ(window.count(limit, at(now)), model.size());
    }
  }
}

}  // namespace
}  // namespace espalier::supervisor
