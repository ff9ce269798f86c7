#include "espalier/supervisor/core/deadline_heap.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace espalier::supervisor {
namespace {

TimePoint at(std::int64_t ns) {
  return TimePoint{Duration{ns}};
}

TEST(DeadlineHeap, GivesTheEarliestAndForgetsWhatWasDisarmed) {
  DeadlineHeap heap{3};
  EXPECT_FALSE(heap.next());
  heap.arm(0, at(30));
  heap.arm(1, at(10));
  heap.arm(2, at(20));
  heap.disarm(1);
  EXPECT_EQ(heap.next(), at(20));
  EXPECT_FALSE(heap.pop_due(at(19)));
  EXPECT_EQ(heap.pop_due(at(30)), 2u);
  EXPECT_EQ(heap.pop_due(at(30)), 0u);
  EXPECT_FALSE(heap.pop_due(at(99)));
}

TEST(DeadlineHeap, RearmingReplaces) {
  DeadlineHeap heap{1};
  heap.arm(0, at(10));
  heap.arm(0, at(50));
  EXPECT_FALSE(heap.pop_due(at(49)));
  EXPECT_EQ(heap.pop_due(at(50)), 0u);
  EXPECT_FALSE(heap.pop_due(at(50)));
}

TEST(DeadlineHeap, AgreesWithAPlainMap) {
  std::mt19937 random{11};
  DeadlineHeap heap{20};
  std::map<std::uint32_t, TimePoint> model;
  std::int64_t now = 0;
  for (int step = 0; step < 50'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random() % 20);
    if (random() % 3 == 0) {
      heap.disarm(slot);
      model.erase(slot);
    } else {
      model[slot] = at(now + static_cast<std::int64_t>(random() % 100));
      heap.arm(slot, model[slot]);
    }
    if (random() % 8 != 0) continue;
    now += static_cast<std::int64_t>(random() % 30);
    while (const auto due = heap.pop_due(at(now))) {
      ASSERT_TRUE(model.contains(*due));
      ASSERT_LE(model[*due], at(now));
      model.erase(*due);
    }
    for (const auto& [left, when] : model)
      ASSERT_GT(when, at(now)) << left;
  }
}

}  // namespace
}  // namespace espalier::supervisor
