#include "espalier/supervisor/observe/journal_ring.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace espalier::supervisor {
namespace {

Event numbered(std::uint64_t sequence) {
  Event event;
  event.sequence = sequence;
  return event;
}

std::vector<std::uint64_t> sequences(const std::vector<Event>& events) {
  std::vector<std::uint64_t> out;
  for (const auto& event : events)
    out.push_back(event.sequence);
  return out;
}

using Numbers = std::vector<std::uint64_t>;

TEST(JournalRing, KeepsTheLastAndCountsTheRest) {
  JournalRing ring{3};
  EXPECT_TRUE(ring.read().empty());
  for (std::uint64_t i = 1; i <= 3; ++i)
    ring.publish(numbered(i));
  EXPECT_EQ(sequences(ring.read()), (Numbers{1, 2, 3}));
  EXPECT_EQ(ring.dropped(), 0u);
  for (std::uint64_t i = 4; i <= 5; ++i)
    ring.publish(numbered(i));
  EXPECT_EQ(sequences(ring.read()), (Numbers{3, 4, 5}));
  EXPECT_EQ(ring.dropped(), 2u);
}

TEST(JournalRing, ReadsAfterASequenceUpToALimit) {
  JournalRing ring{4};
  for (std::uint64_t i = 1; i <= 6; ++i)
    ring.publish(numbered(i));
  EXPECT_EQ(sequences(ring.read(4)), (Numbers{5, 6}));
  EXPECT_EQ(sequences(ring.read(0, 2)), (Numbers{3, 4}));
  EXPECT_TRUE(ring.read(6).empty());
  EXPECT_TRUE(ring.read(0, 0).empty());
}

TEST(JournalRing, HasRoomForOneAtLeast) {
  JournalRing ring{0};
  ring.publish(numbered(1));
  ring.publish(numbered(2));
  EXPECT_EQ(sequences(ring.read()), (Numbers{2}));
}

TEST(JournalRing, LosesNothingBetweenThreads) {
  JournalRing ring{100};
  const auto publish = [&] {
    for (std::uint64_t i = 1; i <= 1000; ++i)
      ring.publish(numbered(i));
  };
  std::thread first{publish};
  std::thread second{publish};
  first.join();
  second.join();
  EXPECT_EQ(ring.read().size(), 100u);
  EXPECT_EQ(ring.dropped(), 1900u);
}

}  // namespace
}  // namespace espalier::supervisor
