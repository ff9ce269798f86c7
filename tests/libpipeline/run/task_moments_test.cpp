#include "espalier/pipeline/run/internal/task_moments.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline::internal {
namespace {

using namespace std::chrono_literals;

TrackEvent event(ItemSeq seq, std::uint16_t task, TaskMoment moment) {
  TrackEvent made;
  made.kind = TrackEvent::Kind::task;
  made.seq = seq;
  made.task = task;
  made.moment = static_cast<std::uint8_t>(moment);
  made.attempt = 1;
  return made;
}

std::vector<TrackEvent> taken(TaskMoments& moments) {
  std::vector<TrackEvent> events;
  moments.move_to(events);
  return events;
}

void pass(TaskMoments& moments, ItemSeq seq, std::uint16_t tasks) {
  for (std::uint16_t task = 0; task < tasks; ++task) {
    moments.add(event(seq, task, TaskMoment::start));
    moments.add(event(seq, task, TaskMoment::complete));
  }
}

void fail(TaskMoments& moments, ItemSeq seq) {
  moments.add(event(seq, 0, TaskMoment::start));
  auto failed = event(seq, 0, TaskMoment::fail);
  failed.error = std::make_shared<const std::pair<std::string, std::string>>("no", "E");
  moments.add(std::move(failed));
}

// Where each event of the item stands, in the order in which they happened.
std::vector<std::size_t> places_of(ItemSeq seq, const std::vector<TrackEvent>& events) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (seq >= events[i].seq && seq < events[i].seq + events[i].count) places.push_back(i);
  return places;
}

TEST(TaskMoments, ABatchWithoutTroubleCostsTwoEventsForEachTask) {
  TaskMoments moments;
  for (ItemSeq seq = 10; seq < 110; ++seq)
    pass(moments, seq, 3);
  const auto events = taken(moments);
  ASSERT_EQ(events.size(), 6U);
  for (const auto& one : events) {
    EXPECT_EQ(one.seq, 10U);
    EXPECT_EQ(one.count, 100U);
  }
  EXPECT_TRUE(moments.empty());
}

TEST(TaskMoments, EveryEventIsKeptAndTheOrderOfEachItemToo) {
  TaskMoments moments;
  for (ItemSeq seq = 0; seq < 50; ++seq) {
    if (seq % 7 == 3)
      fail(moments, seq);
    else
      pass(moments, seq, 2);
  }
  const auto events = taken(moments);
  for (ItemSeq seq = 0; seq < 50; ++seq) {
    std::vector<std::pair<int, int>> got;
    for (const auto place : places_of(seq, events))
      got.emplace_back(events[place].task, events[place].moment);
    const int start = static_cast<int>(TaskMoment::start);
    const int complete = static_cast<int>(TaskMoment::complete);
    const int failed = static_cast<int>(TaskMoment::fail);
    const std::vector<std::pair<int, int>> expected =
        seq % 7 == 3 ? std::vector<std::pair<int, int>>{{0, start}, {0, failed}}
                     : std::vector<std::pair<int, int>>{
                           {0, start}, {0, complete}, {1, start}, {1, complete}};
    EXPECT_EQ(got, expected) << "item " << seq;
  }
  EXPECT_LT(events.size(), 50U);
}

TEST(TaskMoments, ItemsWithAnIdOfTheirOwnStayAlone) {
  TaskMoments moments;
  for (ItemSeq seq = 0; seq < 3; ++seq) {
    auto one = event(seq, 0, TaskMoment::start);
    one.info = std::make_shared<const ItemInfo>();
    moments.add(std::move(one));
  }
  EXPECT_EQ(taken(moments).size(), 3U);
}

TEST(TaskMoments, TheEndOfTheBatchGivesTheItemsTheirShareOfItsTime) {
  TaskMoments moments;
  pass(moments, 0, 1);
  pass(moments, 1, 1);
  const TimePoint now{1s};
  moments.close(now, 3us);
  const auto events = taken(moments);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].took, Duration{});
  EXPECT_EQ(events[0].at, TimePoint{});
  EXPECT_EQ(events[1].took, 3us);
  EXPECT_EQ(events[1].at, now);
}

}  // namespace
}  // namespace espalier::pipeline::internal
