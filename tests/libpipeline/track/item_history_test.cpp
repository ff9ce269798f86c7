#include "espalier/pipeline/track/item_history.hpp"

#include "libpipeline/track/tracked.hpp"

#include <gtest/gtest.h>

#include <random>

namespace espalier::pipeline {
namespace {

constexpr std::size_t all = StatusTracker::all;

class HistoryTest : public testing::Test {
 protected:
  void begin(HistoryLimits limits) {
    history_ = ItemHistory(limits);
    history_.start(Naming(two_stages(), at({}), WallTime{}));
  }
  void SetUp() override { begin({}); }
  void apply(const std::vector<TrackEvent>& events) {
    for (const TrackEvent& event : events)
      history_.apply(event);
  }
  [[nodiscard]] std::string story_of(ItemSeq seq) const { return story(history_.all(seq)); }

  ItemHistory history_{{}};
};

constexpr const char* whole_story =
    "queued@fetch in_progress@fetch-W0 completed@fetch-W0 "
    "queued@parse in_progress@parse-W1 completed@parse-W1";

TEST_F(HistoryTest, TellsTheStoryOfEachItemOfARun) {
  apply(whole_way(10, 300));
  EXPECT_EQ(story_of(9), "");
  EXPECT_EQ(story_of(10), whole_story);
  EXPECT_EQ(story_of(64), whole_story);
  EXPECT_EQ(story_of(309), whole_story);
  EXPECT_EQ(story_of(310), "");
  EXPECT_EQ(history_.stats()[Status::completed], 300u);
  EXPECT_EQ(history_.stats().total(), 300u);
}

TEST_F(HistoryTest, KeepsItemsApartThatGoDifferentWays) {
  apply({status(Status::queued, 0, 0, 100), by(2, status(Status::in_progress, 0, 0, 70)),
         by(3, status(Status::in_progress, 0, 70, 30)), by(2, status(Status::completed, 0, 0, 65)),
         by(2, with_error("bad", "Bad", 1, status(Status::failed, 0, 65)))});
  EXPECT_EQ(story_of(64), "queued@fetch in_progress@fetch-W2 completed@fetch-W2");
  EXPECT_EQ(story_of(65), "queued@fetch in_progress@fetch-W2 failed@fetch-W2");
  EXPECT_EQ(story_of(66), "queued@fetch in_progress@fetch-W2");
  EXPECT_EQ(story_of(70), "queued@fetch in_progress@fetch-W3");
  EXPECT_EQ(history_.stats()[Status::completed], 65u);
  EXPECT_EQ(history_.stats()[Status::failed], 1u);
  EXPECT_EQ(history_.stats()[Status::in_progress], 34u);
}

// B12: two of the words broke the count.
TEST_F(HistoryTest, CountsEveryWordAlsoSkippedAndRetrying) {
  ItemSeq seq = 0;
  for (const Status each : all_statuses) {
    apply({status(each, 0, seq, 3)});
    seq += 3;
  }
  for (const Status each : all_statuses)
    EXPECT_EQ(history_.stats()[each], 3u) << to_string(each);
  apply({status(Status::cancelled, 0, 0)});
  EXPECT_EQ(history_.stats()[Status::queued], 2u);
  EXPECT_EQ(history_.stats()[Status::cancelled], 4u);
  EXPECT_EQ(history_.stats().total(), 21u);
}

TEST_F(HistoryTest, FindsTheLastEventOfEachStatus) {
  apply(whole_way(0, 2));
  apply({status(Status::queued, 0, 2), status(Status::queued, 0, 3)});
  EXPECT_EQ(ids(history_.by_status(Status::completed, all)), "0 1");
  EXPECT_EQ(ids(history_.by_status(Status::queued, all)), "2 3");
  EXPECT_EQ(ids(history_.by_status(Status::queued, 1)), "2");
  EXPECT_EQ(ids(history_.by_status(Status::failed, all)), "");
  EXPECT_EQ(history_.last(1)->stage, "parse");
}

TEST_F(HistoryTest, NewestChangesComeFirst) {
  apply(whole_way(0, 2));
  apply({status(Status::queued, 0, 2, 2), status(Status::cancelled, 0, 0)});
  EXPECT_EQ(ids(history_.recent(10)), "0 3 2 1");
  EXPECT_EQ(ids(history_.recent(2)), "0 3");
}

TEST_F(HistoryTest, AnIdOfTextFindsItsItem) {
  apply({of_item("doc-1", status(Status::queued, 0, 0), {{"site", "a"}}),
         by(0, status(Status::in_progress, 0, 0)), status(Status::queued, 0, 1)});
  ASSERT_TRUE(history_.find("doc-1"));
  EXPECT_EQ(*history_.find("doc-1"), 0u);
  EXPECT_FALSE(history_.find("0"));  // It has another name.
  EXPECT_EQ(*history_.find("1"), 1u);
  EXPECT_FALSE(history_.find("01"));
  EXPECT_FALSE(history_.find("2"));
  EXPECT_FALSE(history_.find(""));
  const auto last = history_.last(0);
  EXPECT_EQ(last->item, "doc-1");
  EXPECT_EQ(last->metadata, (Metadata{{"site", "a"}}));
}

TEST_F(HistoryTest, OfEqualIdsTheItemFedLastIsMeant) {
  begin({.items = 64, .age = {}, .failed = 10});
  apply({of_item("x", status(Status::skipped, 0, 0))});
  apply({of_item("x", status(Status::queued, 0, 100))});
  EXPECT_EQ(*history_.find("x"), 100u);
  apply({status(Status::queued, 0, 101, 63)});
  history_.forget(at({}));  // The older one goes, the name stays.
  EXPECT_EQ(story_of(0), "");
  EXPECT_EQ(*history_.find("x"), 100u);
}

TEST_F(HistoryTest, KnowsWaitsAndServiceTimes) {
  auto retrying = with_error("slow", "Slow", 2, by(0, status(Status::retrying, 0, 0)));
  auto completed = by(0, status(Status::completed, 0, 0));
  completed.took = milliseconds(5);
  apply({when(seconds(1), status(Status::queued, 0, 0)),
         when(seconds(3), by(0, status(Status::in_progress, 0, 0))), when(seconds(4), retrying),
         when(seconds(9), by(0, status(Status::in_progress, 0, 0))), when(seconds(10), completed),
         when(seconds(12), status(Status::queued, 1, 0))});
  const auto events = history_.all(0);
  ASSERT_EQ(events.size(), 6u);
  EXPECT_FALSE(events[0].queue_wait);
  EXPECT_EQ(events[1].queue_wait, Duration(seconds(2)));
  EXPECT_EQ(events[2].service_time, Duration(seconds(1)));
  EXPECT_EQ(events[2].attempt, 2u);
  EXPECT_FALSE(events[3].queue_wait);  // It waited for its next attempt, not in the queue.
  EXPECT_EQ(events[4].service_time, Duration(milliseconds(5)));
  EXPECT_EQ(events[5].blocked_time, Duration(seconds(2)));
}

TEST_F(HistoryTest, ASkippedItemThatGoesOnIsOpenAgain) {
  begin({.items = 64, .age = {}, .failed = 10});
  apply({status(Status::queued, 0, 0), status(Status::skipped, 0, 0), status(Status::queued, 1, 0),
         status(Status::queued, 0, 64, 64), status(Status::cancelled, 0, 64, 64)});
  history_.forget(at({}));
  EXPECT_EQ(story_of(0), "queued@fetch skipped@fetch queued@parse");
  EXPECT_EQ(history_.forgotten(), 64u);
  EXPECT_EQ(history_.stats()[Status::cancelled], 64u);
}

TEST_F(HistoryTest, LeavingThePipelineIsNoNewsAndEndsTheItem) {
  begin({.items = 64, .age = {}, .failed = 10});
  apply(whole_way(0, 64));
  EXPECT_FALSE(history_.apply(status(Status::completed, output_node, 0, 64)));
  EXPECT_EQ(history_.all(0).size(), 6u);
  // One that the last stage let through stays skipped.
  apply({status(Status::queued, 1, 64), status(Status::skipped, 1, 64)});
  EXPECT_FALSE(history_.apply(status(Status::completed, output_node, 64, 1)));
  EXPECT_EQ(history_.last(64)->status, Status::skipped);
  // One whose events were lost does get its end.
  apply({status(Status::queued, 1, 65)});
  EXPECT_TRUE(history_.apply(status(Status::completed, output_node, 65, 1)));
  EXPECT_EQ(story_of(65), "queued@parse completed@");
  // Items 0 to 63 ended and are above the limit.
  history_.forget(at({}));
  EXPECT_EQ(story_of(0), "");
  EXPECT_EQ(history_.kept(), 2u);
}

TEST_F(HistoryTest, ForgetsTheOldestEndedItemsFirst) {
  begin({.items = 128, .age = {}, .failed = 10});
  apply({status(Status::queued, 0, 0, 64)});  // Stays open.
  apply(whole_way(64, 64));
  apply(whole_way(128, 64));
  history_.forget(at({}));
  EXPECT_EQ(story_of(0), "queued@fetch");
  EXPECT_EQ(story_of(64), "");
  EXPECT_EQ(story_of(128), whole_story);
  EXPECT_EQ(history_.kept(), 128u);
  EXPECT_EQ(history_.forgotten(), 64u);
  // Numbers are of the whole run.
  EXPECT_EQ(history_.stats()[Status::completed], 128u);
  EXPECT_EQ(history_.stats()[Status::queued], 64u);
}

TEST_F(HistoryTest, OpenItemsGoWhenNothingElseIsThere) {
  begin({.items = 64, .age = {}, .failed = 10});
  apply({status(Status::queued, 0, 0, 128)});
  history_.forget(at({}));
  EXPECT_EQ(history_.kept(), 64u);
  EXPECT_EQ(history_.stats()[Status::queued], 64u);
  apply({by(0, status(Status::in_progress, 0, 0, 64))});  // Heard of again.
  EXPECT_EQ(history_.stats()[Status::in_progress], 64u);
  EXPECT_EQ(history_.stats().total(), 128u);
}

TEST_F(HistoryTest, ForgetsByAgeSinceTheEnd) {
  begin({.items = 1000, .age = seconds(10), .failed = 10});
  apply({when(seconds(1), status(Status::cancelled, 0, 0, 64)),
         when(seconds(1), status(Status::queued, 0, 64, 64)),
         when(seconds(5), status(Status::cancelled, 0, 128, 64))});
  history_.forget(at(milliseconds(10'999)));
  EXPECT_EQ(history_.kept(), 192u);
  history_.forget(at(seconds(11)));
  EXPECT_EQ(story_of(0), "");
  EXPECT_EQ(history_.kept(), 128u);
  history_.forget(at(seconds(1000)));
  EXPECT_EQ(story_of(64), "queued@fetch");
  EXPECT_EQ(story_of(128), "");
}

TEST_F(HistoryTest, AnItemThatIsTriedForEverHasABoundedHistory) {
  for (std::uint16_t i = 1; i <= 10'000; ++i) {
    apply({by(0, status(Status::in_progress, 0, 7)),
           with_error("try " + std::to_string(i), "Never", i, status(Status::retrying, 0, 7))});
  }
  const auto events = history_.all(7);
  EXPECT_LE(events.size(), 4096u);
  EXPECT_GE(events.size(), 2048u);
  EXPECT_EQ(events.back().error, "try 10000");
  EXPECT_EQ(events[events.size() - 1001].status, Status::retrying);
  EXPECT_EQ(events[events.size() - 1001].error, "try 9500");
}

TEST_F(HistoryTest, ANewRunBeginsWithNothing) {
  apply({of_item("x", with_error("bad", "Bad", 1, status(Status::failed, 0, 0)))});
  history_.start(Naming(two_stages(), at({}), WallTime{}));
  EXPECT_EQ(history_.stats().total(), 0u);
  EXPECT_FALSE(history_.find("x"));
  EXPECT_TRUE(history_.recent(5).empty());
  EXPECT_EQ(history_.errors(all).total_failed, 0u);
  apply(whole_way(0));
  EXPECT_EQ(story_of(0), whole_story);
}

// Whatever comes, and in whatever pieces: the same as remembering each item by itself.
TEST_F(HistoryTest, AgreesWithOneListPerItem) {
  constexpr ItemSeq items = 300;
  for (unsigned seed = 0; seed < 20; ++seed) {
    begin({});
    std::mt19937 random(seed);
    std::vector<std::vector<Status>> expected(items);
    for (int i = 0; i < 300; ++i) {
      const ItemSeq seq = random() % items;
      const auto count = static_cast<std::uint32_t>(1 + random() % (items - seq));
      const Status word = all_statuses.at(random() % all_statuses.size());
      apply({status(word, static_cast<NodeId>(random() % 2), seq, count)});
      for (ItemSeq each = seq; each < seq + count; ++each)
        expected[each].push_back(word);
    }
    StatusStats stats;
    for (ItemSeq seq = 0; seq < items; ++seq) {
      std::vector<Status> told;
      for (const StatusEvent& event : history_.all(seq))
        told.push_back(event.status);
      ASSERT_EQ(told, expected[seq]) << "seed " << seed << " item " << seq;
      if (!told.empty()) ++stats[told.back()];
    }
    ASSERT_EQ(history_.stats(), stats) << "seed " << seed;
  }
}

}  // namespace
}  // namespace espalier::pipeline
