#include "espalier/ipc/core/replay_guard.hpp"

#include "espalier/ipc/core/internal/sip_hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
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

TEST(replay_guard, keeps_the_newest_however_many_come) {
  std::mt19937 random{6};  // NOLINT: the same every time
  constexpr std::size_t capacity = 100;
  ReplayGuard guard{1h, capacity};
  std::deque<std::string> kept;
  for (int i = 0; i < 20'000; ++i) {
    const auto id = "request " + std::to_string(random() % 300);
    const bool fresh = std::find(kept.begin(), kept.end(), id) == kept.end();
    ASSERT_EQ(guard.admit(id, start), fresh) << "step " << i;
    if (fresh) kept.push_back(id);
    if (kept.size() > capacity) kept.pop_front();
  }
}

TEST(sip_hash, gives_what_its_authors_publish) {
  const internal::SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string text;
  const auto of_length = [&](char length) {
    text.clear();
    for (char c = 0; c < length; ++c)
      text += c;
    return internal::sip_hash(key, text);
  };
  EXPECT_EQ(of_length(0), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(of_length(1), 0x74f839c593dc67fdu);
  EXPECT_EQ(of_length(8), 0x93f5f5799a932462u);
  EXPECT_EQ(of_length(15), 0xa129ca6149be45e5u);
}

}  // namespace
}  // namespace espalier::ipc
