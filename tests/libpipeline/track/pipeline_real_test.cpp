#include "espalier/pipeline/build/builder.hpp"
#include "espalier/pipeline/track/status_tracker.hpp"
#include "libpipeline/track/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>

namespace espalier::pipeline {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

std::vector<int> numbers(int count) {
  std::vector<int> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

int add_one(int n) {
  return n + 1;
}

int odd_fails(int n) {
  if (n % 2 == 1) throw std::invalid_argument("Error: for " + std::to_string(n));
  return n;
}

RetryPolicy twice(RetryScope scope = RetryScope::per_task) {
  RetryPolicy policy;
  policy.attempts = 2;
  policy.scope = scope;
  policy.backoff.initial = 1ms;
  policy.backoff.max = 1ms;
  return policy;
}

class TrackedPipeline : public testing::Test {
 protected:
  template <class P>
  void run(P pipeline, const std::vector<int>& items) {
    pipeline.track(tracker_);
    static_cast<void>(pipeline.run(items));
    tracker_->flush();
  }
  std::shared_ptr<StatusTracker> tracker_ = std::make_shared<StatusTracker>();
};

TEST_F(TrackedPipeline, TellsTheWayOfEachItem) {
  run(from<int>().stage("a", add_one, {.workers = 2}).stage("b", add_one).build(), numbers(500));
  EXPECT_EQ(tracker_->get_stats()[Status::completed], 500u);
  EXPECT_EQ(tracker_->get_stats().total(), 500u);
  for (ItemSeq seq = 0; seq < 500; ++seq) {
    const auto events = tracker_->get_history(seq);
    ASSERT_EQ(events.size(), 6u) << seq;
    std::vector<std::string> words;
    for (const StatusEvent& event : events)
      words.push_back(std::string(to_string(event.status)) + "@" + event.stage);
    ASSERT_THAT(words, ElementsAre("queued@a", "in_progress@a", "completed@a", "queued@b",
                                   "in_progress@b", "completed@b"));
    ASSERT_EQ(events[1].worker, "a-W" + std::to_string(*events[1].worker_number));
    ASSERT_TRUE(events[1].queue_wait);
    ASSERT_TRUE(events[2].service_time);
    for (std::size_t i = 1; i < events.size(); ++i)
      ASSERT_LE(events[i - 1].at, events[i].at);
  }
}

// B19, through everything.
TEST_F(TrackedPipeline, FailedItemsHaveTheirRealTypeAndAttempts) {
  run(from<int>().stage("check", odd_fails, {.retry = twice()}).build(), numbers(6));
  EXPECT_EQ(tracker_->get_stats()[Status::completed], 3u);
  EXPECT_EQ(tracker_->get_stats()[Status::failed], 3u);
  const ErrorSummary summary = tracker_->get_error_summary();
  EXPECT_EQ(summary.total_failed, 3u);
  EXPECT_EQ(summary.by_type, (std::map<std::string, std::uint64_t>{{"std::invalid_argument", 3}}));
  EXPECT_EQ(summary.by_stage, (std::map<std::string, std::uint64_t>{{"check", 3}}));
  ASSERT_EQ(summary.items.size(), 3u);
  for (const FailedItem& item : summary.items) {
    EXPECT_EQ(item.error, "Error: for " + item.item);
    EXPECT_EQ(item.attempts, 2u);
    EXPECT_EQ(item.stage, "check");
  }
}

TEST_F(TrackedPipeline, RetryingIsSeenWithTheNextAttemptAndTheError) {
  for (const RetryScope scope : {RetryScope::per_task, RetryScope::per_stage}) {
    std::atomic<int> calls = 0;
    const auto once_bad = [&](int n) {
      if (++calls == 1) throw std::runtime_error("flaky");
      return n;
    };
    run(from<int>().stage("work", once_bad, {.retry = twice(scope)}).build(), {7});
    std::vector<std::string> words;
    for (const StatusEvent& event : tracker_->get_history(ItemSeq{0})) {
      words.emplace_back(to_string(event.status));
      if (event.status != Status::retrying) continue;
      EXPECT_EQ(event.attempt, 2u);
      EXPECT_EQ(event.error, "flaky");
      EXPECT_EQ(event.error_type, "std::runtime_error");
    }
    EXPECT_THAT(words, ElementsAre("queued", "in_progress", "retrying", "queued", "in_progress",
                                   "completed"));
  }
}

TEST_F(TrackedPipeline, ADeadTaskHasThreeStartsTwoRetriesOneFail) {
  std::map<std::string, int> told;
  std::vector<std::uint32_t> attempts;
  const auto hear = [&](const TaskEvent& event) {
    ++told[std::string(to_string(event.moment))];
    if (event.moment == TaskMoment::start) return;
    attempts.push_back(event.attempt);
    EXPECT_TRUE(event.duration);
    EXPECT_EQ(event.error_type, "std::runtime_error");
    EXPECT_EQ(event.worker, "work-W0");
  };
  const auto start = tracker_->on_task_start(hear);
  const auto complete = tracker_->on_task_complete(hear);
  const auto retry = tracker_->on_task_retry(hear);
  const auto fail = tracker_->on_task_fail(hear);
  auto policy = twice();
  policy.attempts = 3;
  run(from<int>()
          .stage("work", [](int) -> int { throw std::runtime_error("dead"); }, {.retry = policy})
          .build(),
      {1});
  EXPECT_EQ(told, (std::map<std::string, int>{{"start", 3}, {"retry", 2}, {"fail", 1}}));
  EXPECT_THAT(attempts, ElementsAre(1, 2, 3));
}

TEST_F(TrackedPipeline, EachItemOfABatchHasItsTaskEvents) {
  std::set<std::string> done;
  const auto complete = tracker_->on_task_complete([&](const TaskEvent& event) {
    EXPECT_TRUE(done.insert(event.item).second);
    EXPECT_EQ(event.attempt, 1u);
    EXPECT_EQ(event.error, "");
  });
  run(from<int>().stage("work", add_one).build(), numbers(300));
  EXPECT_EQ(done.size(), 300u);
  EXPECT_EQ(tracker_->dropped(), 0u);
}

TEST_F(TrackedPipeline, SkippedItemsPassUntouched) {
  StageConfig<int, int> config;
  config.skip_if = [](const int& n) { return n == 1; };
  run(from<int>().stage("work", add_one, config).build(), {1, 2});
  EXPECT_EQ(story(tracker_->get_history(ItemSeq{0})).find("completed"), std::string::npos);
  EXPECT_EQ(tracker_->get_history(ItemSeq{0}).back().status, Status::skipped);
  EXPECT_EQ(tracker_->get_history(ItemSeq{1}).back().status, Status::completed);
  EXPECT_EQ(tracker_->get_stats()[Status::skipped], 1u);
}

TEST_F(TrackedPipeline, FilteredItemsAreSkipped) {
  run(from<int>().filter("even", [](int n) { return n % 2 == 0; }).build(), numbers(10));
  EXPECT_EQ(tracker_->get_stats()[Status::skipped], 5u);
  EXPECT_EQ(tracker_->get_stats()[Status::completed], 5u);
}

TEST_F(TrackedPipeline, ItemsGoByTheirOwnIds) {
  auto pipeline = from<int>().stage("work", add_one).build();
  pipeline.track(tracker_);
  pipeline.start();
  pipeline.feed(1, {.id = "doc-1", .metadata = {{"lang", "en"}}});
  pipeline.drain();
  tracker_->flush();
  const auto last = tracker_->get_status("doc-1");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->status, Status::completed);
  EXPECT_EQ(last->metadata, (Metadata{{"lang", "en"}}));
}

// B6: with AntFlow such a subscriber changed outcomes.
TEST_F(TrackedPipeline, SubscribersThatThrowChangeNoOutcome) {
  for (const Delivery delivery : {Delivery::queued, Delivery::inline_}) {
    TrackerOptions options;
    options.delivery = delivery;
    const auto tracker = std::make_shared<StatusTracker>(options);
    const auto bad = tracker->on_status_change([](const StatusEvent&) { throw 1; });
    const auto worse = tracker->on_task_complete([](const TaskEvent&) { throw 2; });
    auto pipeline = from<int>().stage("work", add_one, {.workers = 2}).build();
    pipeline.track(tracker);
    const auto results = pipeline.run(numbers(100));
    tracker->flush();
    EXPECT_EQ(results.size(), 100u);
    for (const auto& result : results)
      ASSERT_TRUE(result);
    EXPECT_EQ(tracker->get_stats()[Status::completed], 100u);
    EXPECT_GE(tracker->subscriber_errors(), 400u);
  }
}

TEST_F(TrackedPipeline, ASecondRunBeginsAnew) {
  auto pipeline = from<int>().stage("work", add_one).build();
  pipeline.track(tracker_);
  static_cast<void>(pipeline.run(numbers(10)));
  tracker_->flush();
  EXPECT_EQ(tracker_->get_stats().total(), 10u);
  static_cast<void>(pipeline.run(numbers(3)));
  tracker_->flush();
  EXPECT_EQ(tracker_->get_stats().total(), 3u);
  EXPECT_EQ(tracker_->get_history(ItemSeq{0}).size(), 3u);
}

TEST_F(TrackedPipeline, CancelledItemsSayWhy) {
  auto pipeline = from<int>().stage("work", add_one, {.rate = {.per_second = 0.001}}).build();
  pipeline.track(tracker_);
  pipeline.start();
  for (int i = 0; i < 5; ++i)
    pipeline.feed(i);
  pipeline.cancel("enough");
  pipeline.drain();
  tracker_->flush();
  const auto cancelled = tracker_->get_by_status(Status::cancelled);
  ASSERT_GE(cancelled.size(), 4u);
  EXPECT_THAT(cancelled.back().error, testing::HasSubstr("enough"));
  EXPECT_EQ(tracker_->get_error_summary().total_failed, 0u);
}

// B26: the least interval of texts belonged to the worker, so the next item's first was lost.
TEST_F(TrackedPipeline, TheFirstStatusTextOfEachItemCounts) {
  std::vector<bool> first;
  std::vector<bool> second;
  run(from<int>()
          .stage("work",
                 [&](int n) {
                   first.push_back(set_task_status("one", 1h));
                   second.push_back(set_task_status("two", 1h));
                   return n;
                 })
          .build(),
      {1, 2, 3});
  EXPECT_THAT(first, ElementsAre(true, true, true));
  EXPECT_THAT(second, ElementsAre(false, false, false));
}

}  // namespace
}  // namespace espalier::pipeline
