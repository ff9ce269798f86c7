#include "espalier/ipc/core/replay_guard.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using supervisor::TimePoint;

const TimePoint start{1h};

TEST(replay_guard, the_same_id_is_refused_within_the_window) {
  ReplayGuard guard{60s, 100};
  EXPECT_TRUE(guard.admit("a", start));
  EXPECT_TRUE(guard.admit("b", start));
  EXPECT_FALSE(guard.admit("a", start));
  EXPECT_FALSE(guard.admit("a", start + 60s - 1ns));
  EXPECT_TRUE(guard.admit("a", start + 60s));
}

TEST(replay_guard, a_refusal_does_not_lengthen_the_window) {
  ReplayGuard guard{60s, 100};
  EXPECT_TRUE(guard.admit("a", start));
  for (int i = 1; i < 60; ++i)
    EXPECT_FALSE(guard.admit("a", start + i * 1s));
  EXPECT_TRUE(guard.admit("a", start + 60s));
}

TEST(replay_guard, the_oldest_goes_when_it_is_full) {
  ReplayGuard guard{60s, 3};
  for (const auto* id : {"a", "b", "c", "d"})
    EXPECT_TRUE(guard.admit(id, start));
  for (const auto* id : {"b", "c", "d"})
    EXPECT_FALSE(guard.admit(id, start));
  EXPECT_TRUE(guard.admit("a", start));
}

TEST(replay_guard, agrees_with_its_definition_over_random_ids) {
  std::mt19937 random{5};  // NOLINT: the same every time
  constexpr auto window = 1000ms;
  ReplayGuard guard{window, 1000};
  std::map<std::string, TimePoint> admitted;
  auto now = start;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds{random() % 20};
    const auto id = std::to_string(random() % 120);
    const auto seen = admitted.find(id);
    const bool fresh = seen == admitted.end() || now - seen->second >= window;
    ASSERT_EQ(guard.admit(id, now), fresh) << "step " << i;
    if (fresh) admitted[id] = now;
  }
}

}  // namespace
}  // namespace espalier::ipc
