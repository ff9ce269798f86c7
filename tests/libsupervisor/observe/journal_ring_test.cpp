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

TEST(JournalRing, AReaderGoesOnWhereItWasAndHearsWhatItMissed) {
  JournalRing ring{3};
  EXPECT_EQ(ring.end(), 0u);
  ring.publish(numbered(2));  // Sequences may come in another order than they were given out.
  ring.publish(numbered(1));
  auto page = ring.read_from(0, 10);
  EXPECT_EQ(sequences(page.events), (Numbers{2, 1}));
  EXPECT_EQ(page.next, 2u);
  EXPECT_EQ(page.lost, 0u);
  for (std::uint64_t i = 3; i <= 7; ++i)
    ring.publish(numbered(i));
  page = ring.read_from(page.next, 2);
  EXPECT_EQ(sequences(page.events), (Numbers{5, 6}));
  EXPECT_EQ(page.lost, 2u);
  page = ring.read_from(page.next, 2);
  EXPECT_EQ(sequences(page.events), (Numbers{7}));
  EXPECT_EQ(page.next, ring.end());
  EXPECT_TRUE(ring.read_from(page.next, 5).events.empty());
  EXPECT_EQ(ring.read_from(99, 5).next, 7u);
}

}  // namespace
}  // namespace espalier::supervisor
