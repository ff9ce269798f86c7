#include "libpipeline/track/tracked.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <future>
#include <mutex>
#include <thread>

namespace espalier::pipeline {
namespace {

TEST(QueuedTracker, TellsOnAThreadOfItsOwn) {
  StatusTracker tracker;
  tracker.on_start(two_stages());
  std::vector<StatusEvent> heard;
  std::thread::id thread;
  const auto subscription = tracker.on_status_change([&](const StatusEvent& event) {
    thread = std::this_thread::get_id();
    heard.push_back(event);
  });
  tracker.on_events(whole_way(0));
  tracker.flush();
  EXPECT_EQ(heard.size(), 6u);
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_NE(thread, std::thread::id{});
}

TEST(QueuedTracker, FlushWithoutEventsAnswersAtOnce) {
  const StatusTracker tracker;
  tracker.flush();
  EXPECT_EQ(tracker.get_stats().total(), 0u);
}

// A slow subscriber delays no item: events are taken, then dropped and counted.
TEST(QueuedTracker, ASlowSubscriberCostsEventsNotTime) {
  TrackerOptions options;
  options.queue_limit = 10;
  StatusTracker tracker(options);
  std::promise<void> entered;
  std::promise<void> go_on;
  std::atomic<int> heard = 0;
  const auto slow = tracker.on_status_change([&](const StatusEvent&) {
    if (++heard > 1) return;
    entered.set_value();
    go_on.get_future().wait();
  });
  const auto tasks = tracker.on_task_start([&](const TaskEvent&) { ++heard; });
  tracker.on_events({status(Status::queued, 0, 0)});
  entered.get_future().wait();
  for (ItemSeq seq = 1; seq <= 5; ++seq)
    tracker.on_events({status(Status::queued, 0, seq)});
  tracker.on_events({task(TaskMoment::start, 0, 0, 1)});  // Half full: no room for tasks.
  EXPECT_EQ(tracker.dropped(), 1u);
  tracker.on_events({status(Status::queued, 0, 6), status(Status::queued, 0, 7),
                     status(Status::queued, 0, 8), status(Status::queued, 0, 9),
                     status(Status::queued, 0, 10), status(Status::queued, 0, 11, 100)});
  EXPECT_EQ(tracker.dropped(), 101u);
  go_on.set_value();
  tracker.flush();
  EXPECT_EQ(heard, 11);
  EXPECT_EQ(tracker.get_stats()[Status::queued], 11u);
}

TEST(QueuedTracker, TheDestructorLetsSubscribersHearTheRest) {
  int heard = 0;
  {
    StatusTracker tracker;
    tracker.on_status_change([&](const StatusEvent&) { ++heard; }).keep();
    for (ItemSeq seq = 0; seq < 1000; ++seq)
      tracker.on_events({status(Status::queued, 0, seq)});
  }
  EXPECT_EQ(heard, 1000);
}

TEST(QueuedTracker, ASubscriberMayDestroyItsTracker) {
  auto tracker = std::make_shared<StatusTracker>();
  std::promise<void> done;
  tracker
      ->on_status_change([&](const StatusEvent&) {
        tracker.reset();
        done.set_value();
      })
      .keep();
  const auto held = tracker.get();
  held->on_events({status(Status::queued, 0, 0)});
  done.get_future().wait();
}

TEST(QueuedTracker, WhenASubscriptionHasEndedItsSubscriberIsNotRunning) {
  StatusTracker tracker;
  std::atomic<bool> stop = false;
  std::thread feeder([&] {
    for (ItemSeq seq = 0; !stop; ++seq) {
      tracker.on_events({status(Status::queued, 0, seq % 1000)});
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    auto* const counter = alive.get();
    auto subscription = tracker.on_status_change([counter](const StatusEvent&) { ++*counter; });
    if (i % 2 == 0) tracker.flush();
    subscription.end();
    alive.reset();  // A late call would be a use after free for the sanitizers.
  }
  stop = true;
  feeder.join();
  EXPECT_EQ(tracker.subscriber_errors(), 0u);
}

TEST(QueuedTracker, ManyThreadsLoseNothing) {
  StatusTracker tracker;
  std::atomic<std::uint64_t> heard = 0;
  const auto subscription = tracker.on_status_change([&](const StatusEvent&) { ++heard; });
  std::vector<std::thread> threads;
  for (ItemSeq first = 0; first < 4; ++first) {
    threads.emplace_back([&tracker, first] {
      for (ItemSeq seq = 0; seq < 1000; ++seq)
        tracker.on_events({status(Status::queued, 0, first * 1000 + seq)});
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  tracker.flush();
  EXPECT_EQ(tracker.get_stats()[Status::queued], 4000u);
  EXPECT_EQ(heard, 4000u);
  EXPECT_EQ(tracker.dropped(), 0u);
}

// B28: a snapshot looked at every item ever tracked.
TEST(QueuedTracker, NumbersCostTheSameForAMillionItems) {
  TrackerOptions options;
  options.history.items = 1'000'000;
  StatusTracker tracker(options);
  tracker.on_start(two_stages());
  for (ItemSeq seq = 0; seq < 1'000'000; seq += 200)
    tracker.on_events(whole_way(seq, 200));
  tracker.flush();
  timespec before = {};
  timespec after = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(tracker.get_stats()[Status::completed], 1'000'000u);
    ASSERT_EQ(tracker.get_error_summary().total_failed, 0u);
    ASSERT_EQ(tracker.get_recent(20).size(), 20u);
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  const auto spent = seconds(after.tv_sec - before.tv_sec) +
                     std::chrono::nanoseconds(after.tv_nsec - before.tv_nsec);
  EXPECT_LT(spent, seconds(1));  // 10 ms for all three; scanning took that for one.
}

}  // namespace
}  // namespace espalier::pipeline
