#include "libpipeline/track/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::pipeline {
namespace {

using testing::ElementsAre;

TrackEvent lasting(Duration took, TrackEvent event) {
  event.took = took;
  return event;
}

class TaskEventsTest : public testing::Test {
 protected:
  void SetUp() override {
    tracker_.on_start(two_stages());
    const auto hear = [this](const TaskEvent& event) {
      heard_.push_back(event);
      told_.push_back(std::string(to_string(event.moment)) + " " + event.task + " " +
                      std::to_string(event.attempt));
    };
    subscriptions_.push_back(tracker_.on_task_start(hear));
    subscriptions_.push_back(tracker_.on_task_complete(hear));
    subscriptions_.push_back(tracker_.on_task_retry(hear));
    subscriptions_.push_back(tracker_.on_task_fail(hear));
  }
  void emit(const std::vector<TrackEvent>& events) { tracker_.on_events(events); }

  ManualTime time_;
  StatusTracker tracker_{time_.options()};
  std::vector<Subscription> subscriptions_;
  std::vector<TaskEvent> heard_;
  std::vector<std::string> told_;
};

TEST_F(TaskEventsTest, StartHasNoDuration) {
  emit({task(TaskMoment::start, 0, 0, 0)});
  ASSERT_EQ(heard_.size(), 1u);
  EXPECT_EQ(heard_[0].attempt, 1u);
  EXPECT_FALSE(heard_[0].duration);
}

TEST_F(TaskEventsTest, CompleteHasADurationAndNoError) {
  emit({lasting(milliseconds(3), task(TaskMoment::complete, 0, 0, 0))});
  ASSERT_EQ(heard_.size(), 1u);
  EXPECT_EQ(heard_[0].task, "get");
  EXPECT_EQ(heard_[0].item, "0");
  EXPECT_EQ(heard_[0].attempt, 1u);
  EXPECT_EQ(heard_[0].duration, Duration(milliseconds(3)));
  EXPECT_EQ(heard_[0].error, "");
}

TEST_F(TaskEventsTest, RetryAndFailCarryTheOriginalError) {
  emit({lasting(milliseconds(1),
                with_error("bad", "std::out_of_range", 1, task(TaskMoment::retry, 0, 0, 0))),
        lasting(milliseconds(2),
                with_error("bad", "std::out_of_range", 2, task(TaskMoment::fail, 0, 0, 0)))});
  EXPECT_THAT(told_, ElementsAre("retry get 1", "fail get 2"));
  EXPECT_EQ(heard_[0].error_type, "std::out_of_range");
  EXPECT_EQ(heard_[0].duration, Duration(milliseconds(1)));
  EXPECT_EQ(heard_[1].error, "bad");
  EXPECT_EQ(heard_[1].error_type, "std::out_of_range");
}

TEST_F(TaskEventsTest, EachTaskOfAStageHasItsOwn) {
  emit({task(TaskMoment::start, 0, 0, 0), task(TaskMoment::complete, 0, 0, 0),
        task(TaskMoment::start, 0, 1, 0), task(TaskMoment::complete, 0, 1, 0)});
  EXPECT_THAT(told_,
              ElementsAre("start get 1", "complete get 1", "start check 1", "complete check 1"));
}

TEST_F(TaskEventsTest, EveryFieldIsThere) {
  auto event = of_item("doc", task(TaskMoment::complete, 1, 0, 4, 2), {{"a", "b"}});
  event.worker = 7;
  emit({when(seconds(2), lasting(milliseconds(1), event))});
  ASSERT_EQ(heard_.size(), 1u);
  EXPECT_EQ(heard_[0].item, "doc");
  EXPECT_EQ(heard_[0].seq, 4u);
  EXPECT_EQ(heard_[0].stage, "parse");
  EXPECT_EQ(heard_[0].task, "read");
  EXPECT_EQ(heard_[0].worker, "parse-W7");
  EXPECT_EQ(heard_[0].worker_number, 7u);
  EXPECT_EQ(heard_[0].attempt, 2u);
  EXPECT_EQ(heard_[0].at, at(seconds(2)));
  EXPECT_EQ(timestamp_text(heard_[0].wall), "1970-01-02T00:00:02.000000Z");
  EXPECT_EQ(heard_[0].metadata, (Metadata{{"a", "b"}}));
}

TEST_F(TaskEventsTest, ARunOfItemsIsToldItemByItem) {
  auto event = task(TaskMoment::start, 0, 0, 9);
  event.count = 3;
  emit({event});
  ASSERT_EQ(heard_.size(), 3u);
  EXPECT_EQ(heard_[0].item, "9");
  EXPECT_EQ(heard_[2].item, "11");
  EXPECT_EQ(heard_[2].seq, 11u);
}

TEST_F(TaskEventsTest, AreWantedWhileSomebodyListens) {
  EXPECT_TRUE(tracker_.wants_tasks());
  subscriptions_.clear();
  emit({status(Status::queued, 0, 0)});
  EXPECT_FALSE(tracker_.wants_tasks());
}

TEST_F(TaskEventsTest, SubscribersHearOnlyTheirMoment) {
  subscriptions_.clear();
  int failed = 0;
  const auto one = tracker_.on_task_fail([&](const TaskEvent&) { ++failed; });
  emit({task(TaskMoment::start, 0, 0, 0), task(TaskMoment::retry, 0, 0, 0),
        task(TaskMoment::fail, 0, 0, 0)});
  EXPECT_EQ(failed, 1);
  EXPECT_TRUE(heard_.empty());
}

TEST_F(TaskEventsTest, AreNotPartOfAnItemsHistory) {
  emit({status(Status::queued, 0, 0), task(TaskMoment::start, 0, 0, 0)});
  EXPECT_EQ(story(tracker_.get_history("0")), "queued@fetch");
  EXPECT_EQ(tracker_.get_stats().total(), 1u);
}

TEST_F(TaskEventsTest, AThrowingSubscriberIsCounted) {
  const auto bad = tracker_.on_task_start([](const TaskEvent&) { throw 1; });
  emit({task(TaskMoment::start, 0, 0, 0)});
  EXPECT_EQ(tracker_.subscriber_errors(), 1u);
  EXPECT_EQ(heard_.size(), 1u);
}

}  // namespace
}  // namespace espalier::pipeline
