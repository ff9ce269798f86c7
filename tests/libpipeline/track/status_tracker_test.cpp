#include "libpipeline/track/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace espalier::pipeline {
namespace {

using testing::ElementsAre;

class TrackerTest : public testing::Test {
 protected:
  void SetUp() override { tracker_.on_start(two_stages()); }
  void emit(const std::vector<TrackEvent>& events) { tracker_.on_events(events); }
  void fail(ItemSeq seq, const std::string& text, const std::string& type) {
    emit({status(Status::queued, 0, seq), by(0, status(Status::in_progress, 0, seq)),
          by(0, with_error(text, type, 3, status(Status::failed, 0, seq)))});
  }

  ManualTime time_;
  StatusTracker tracker_{time_.options()};
};

TEST_F(TrackerTest, CountsItemsByTheirLastStatus) {
  emit(whole_way(0, 3));
  fail(3, "no", "Bad");
  EXPECT_EQ(tracker_.get_stats()[Status::completed], 3u);
  EXPECT_EQ(tracker_.get_stats()[Status::failed], 1u);
  EXPECT_EQ(tracker_.get_stats()[Status::queued], 0u);
  EXPECT_EQ(tracker_.get_stats()[Status::in_progress], 0u);
  EXPECT_EQ(tracker_.get_by_status(Status::completed).size(), 3u);
  EXPECT_EQ(tracker_.get_by_status(Status::failed).size(), 1u);
}

TEST_F(TrackerTest, TellsEachChangeOfEachItemOnce) {
  std::vector<StatusEvent> heard;
  const auto subscription =
      tracker_.on_status_change([&](const StatusEvent& event) { heard.push_back(event); });
  emit(whole_way(0));
  EXPECT_EQ(story(heard),
            "queued@fetch in_progress@fetch-W0 completed@fetch-W0 "
            "queued@parse in_progress@parse-W1 completed@parse-W1");
  heard.clear();
  emit({status(Status::queued, 0, 5, 3)});
  EXPECT_EQ(ids(heard), "5 6 7");
}

TEST_F(TrackerTest, FailedCarriesStageErrorAndItsRealType) {
  std::vector<StatusEvent> heard;
  const auto subscription = tracker_.on_status_change([&](const StatusEvent& event) {
    if (event.status == Status::failed) heard.push_back(event);
  });
  fail(0, "Connection: refused", "std::runtime_error");
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].stage, "fetch");
  EXPECT_EQ(heard[0].error, "Connection: refused");
  EXPECT_EQ(heard[0].error_type, "std::runtime_error");
  EXPECT_EQ(heard[0].attempt, 3u);
}

TEST_F(TrackerTest, RetryingCarriesTheNextAttemptAndTheError) {
  emit({status(Status::queued, 0, 0), by(0, status(Status::in_progress, 0, 0)),
        with_error("flaky", "std::runtime_error", 2, status(Status::retrying, 0, 0))});
  const auto last = tracker_.get_status("0");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->status, Status::retrying);
  EXPECT_EQ(last->attempt, 2u);
  EXPECT_EQ(last->error, "flaky");
  EXPECT_EQ(tracker_.get_stats()[Status::retrying], 1u);
}

TEST_F(TrackerTest, SkippedItemsNeitherStartNorComplete) {
  emit({status(Status::queued, 1, 0), status(Status::skipped, 1, 0),
        status(Status::completed, output_node, 0)});
  emit(whole_way(1));
  EXPECT_EQ(story(tracker_.get_history("0")), "queued@parse skipped@parse");
  EXPECT_EQ(story(tracker_.get_history("1")).find("skipped"), std::string::npos);
  EXPECT_EQ(tracker_.get_stats()[Status::skipped], 1u);
}

TEST_F(TrackerTest, KnowsItemsByTheirOwnIds) {
  emit({of_item("https://a/b", status(Status::queued, 0, 0), {{"lang", "en"}})});
  const auto last = tracker_.get_status("https://a/b");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->seq, 0u);
  EXPECT_EQ(last->metadata, (Metadata{{"lang", "en"}}));
  EXPECT_EQ(tracker_.get_history(ItemSeq{0}).size(), 1u);
  EXPECT_FALSE(tracker_.get_status("unknown"));
  EXPECT_TRUE(tracker_.get_history("unknown").empty());
}

TEST_F(TrackerTest, TimesAreOfBothClocksAndDoNotGoBack) {
  emit({when(seconds(1), status(Status::queued, 0, 0)),
        when(milliseconds(2500), by(0, status(Status::in_progress, 0, 0)))});
  const auto events = tracker_.get_history("0");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].at, at(seconds(1)));
  EXPECT_LT(events[0].wall, events[1].wall);
  EXPECT_EQ(timestamp_text(events[1].wall), "1970-01-02T00:00:02.500000Z");
}

TEST_F(TrackerTest, WorkersHaveNamesAndNumbers) {
  std::set<std::uint32_t> numbers;
  std::size_t done = 0;
  const auto subscription = tracker_.on_status_change([&](const StatusEvent& event) {
    if (event.status != Status::completed) return;
    ASSERT_TRUE(event.worker_number);
    EXPECT_EQ(event.worker, "fetch-W" + std::to_string(*event.worker_number));
    numbers.insert(*event.worker_number);
    ++done;
  });
  for (std::uint32_t i = 0; i < 15; ++i)
    emit({by(i % 3, status(Status::completed, 0, i))});
  EXPECT_EQ(numbers, (std::set<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(done, 15u);
  emit({status(Status::queued, 0, 20)});
  EXPECT_EQ(tracker_.get_status("20")->worker, "");
  EXPECT_FALSE(tracker_.get_status("20")->worker_number);
}

// B6: a callback that failed changed what became of items.
TEST_F(TrackerTest, ASubscriberThatThrowsIsCountedAndChangesNothing) {
  std::vector<StatusEvent> heard;
  const auto bad = tracker_.on_status_change(
      [](const StatusEvent&) { throw std::runtime_error("a subscriber's own trouble"); });
  const auto worse = tracker_.on_status_change([](const StatusEvent&) { throw 7; });
  const auto good =
      tracker_.on_status_change([&](const StatusEvent& event) { heard.push_back(event); });
  emit(whole_way(0));
  EXPECT_EQ(heard.size(), 6u);
  EXPECT_EQ(tracker_.subscriber_errors(), 12u);
  EXPECT_EQ(tracker_.get_history("0").size(), 6u);
  EXPECT_EQ(tracker_.get_stats()[Status::completed], 1u);
  EXPECT_EQ(tracker_.dropped(), 0u);
}

// B20: a callback saw what a later stage had made of shared data.
TEST_F(TrackerTest, WhatASubscriberKeptDoesNotChangeLater) {
  std::vector<StatusEvent> kept;
  {
    const auto subscription =
        tracker_.on_status_change([&](const StatusEvent& event) { kept.push_back(event); });
    emit({of_item("x", status(Status::queued, 0, 0), {{"k", "v"}})});
  }
  emit(whole_way(0));
  tracker_.on_start(two_stages());
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(story(kept), "queued@fetch");
  EXPECT_EQ(kept[0].metadata, (Metadata{{"k", "v"}}));
}

TEST_F(TrackerTest, AnySubscriberEndsWithItsSubscription) {
  int first = 0;
  int second = 0;
  auto one = tracker_.on_status_change([&](const StatusEvent&) { ++first; });
  tracker_.on_status_change([&](const StatusEvent&) { ++second; }).keep();
  emit({status(Status::queued, 0, 0)});
  one.end();
  one.end();
  emit({status(Status::queued, 0, 1)});
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  // A moved one ends with its last owner; a new one in its place ends it.
  auto other = tracker_.on_status_change([&](const StatusEvent&) { ++first; });
  one = std::move(other);
  emit({status(Status::queued, 0, 2)});
  EXPECT_EQ(first, 2);
  one = Subscription{};
  emit({status(Status::queued, 0, 3)});
  EXPECT_EQ(first, 2);
}

TEST_F(TrackerTest, ASubscriberMayAskSubscribeAndEndItself) {
  int late = 0;
  Subscription itself;
  Subscription more;
  std::uint64_t asked = 0;
  itself = tracker_.on_status_change([&](const StatusEvent& event) {
    asked = tracker_.get_stats().total();
    EXPECT_EQ(tracker_.get_status(event.item)->status, event.status);
    tracker_.flush();
    more = tracker_.on_status_change([&](const StatusEvent&) { ++late; });
    itself.end();
  });
  emit({status(Status::queued, 0, 0)});
  emit({status(Status::queued, 0, 1)});
  EXPECT_EQ(asked, 1u);
  EXPECT_EQ(late, 1);
}

TEST_F(TrackerTest, ASubscriptionMayOutliveItsTracker) {
  Subscription subscription;
  {
    StatusTracker other(time_.options());
    subscription = other.on_status_change([](const StatusEvent&) {});
  }
  subscription.end();
}

TEST_F(TrackerTest, HistoryIsBoundedByCountAndAge) {
  auto options = time_.options();
  options.history = {.items = 128, .age = seconds(60), .failed = 2};
  StatusTracker tracker(options);
  tracker.on_start(two_stages());
  for (ItemSeq seq = 0; seq < 6400; seq += 64)
    tracker.on_events(whole_way(seq, 64));
  EXPECT_EQ(tracker.get_by_status(Status::completed).size(), 128u);
  EXPECT_EQ(tracker.get_stats()[Status::completed], 6400u);
  EXPECT_EQ(tracker.forgotten(), 6272u);
  EXPECT_TRUE(tracker.get_history("0").empty());
  EXPECT_EQ(tracker.get_history("6399").size(), 6u);
  time_.now = at(seconds(61));  // Asking is enough; nothing has to happen.
  EXPECT_TRUE(tracker.get_history("6399").empty());
}

TEST_F(TrackerTest, WithoutNamesItStillTells) {
  StatusTracker tracker(time_.options());
  tracker.on_events({by(2, status(Status::in_progress, 4, 0))});
  EXPECT_EQ(story(tracker.get_history("0")), "in_progress@#4-W2");
}

TEST_F(TrackerTest, ANewRunBeginsWithNothing) {
  emit(whole_way(0, 5));
  fail(5, "no", "Bad");
  tracker_.on_start(two_stages());
  EXPECT_EQ(tracker_.get_stats().total(), 0u);
  EXPECT_EQ(tracker_.get_error_summary().total_failed, 0u);
  emit({status(Status::queued, 0, 0)});
  EXPECT_EQ(story(tracker_.get_history("0")), "queued@fetch");
}

TEST(StatusWords, AreSevenAndGoBothWays) {
  std::vector<std::string> words;
  for (const Status each : all_statuses) {
    words.emplace_back(to_string(each));
    EXPECT_EQ(status_of(to_string(each)), each);
  }
  EXPECT_THAT(words, ElementsAre("queued", "in_progress", "completed", "failed", "retrying",
                                 "skipped", "cancelled"));
  EXPECT_FALSE(status_of("done"));
}

}  // namespace
}  // namespace espalier::pipeline
