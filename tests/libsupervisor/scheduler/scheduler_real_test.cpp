#include "espalier/supervisor/scheduler/scheduler.hpp"
#include "libsupervisor/scheduler/count_job.hpp"
#include "libsupervisor/scheduler/scheduler_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace espalier::supervisor::testing {
namespace {

// Jobs that are no actors: the thread sanitizer understands these, but not CAF's mailboxes.

void hand_over(ScheduledSystem& on, CountJob& job) {
  job.intrusive_ptr_add_ref_impl();
  on.scheduler().enqueue(&job);
}

TEST(Scheduler, RunsEveryJobOfEveryThreadOnce) {
  constexpr std::size_t each = 5'000;
  std::deque<CountJob> jobs(4 * each);
  {
    ScheduledSystem on{3};
    std::vector<std::thread> bringers;
    for (std::size_t begin = 0; begin < jobs.size(); begin += each) {
      bringers.emplace_back([&, begin] {
        for (std::size_t i = begin; i < begin + each; ++i)
          hand_over(on, jobs[i]);
      });
    }
    for (auto& bringer : bringers)
      bringer.join();
    EXPECT_TRUE(comes_true([&] {
      return std::all_of(jobs.begin(), jobs.end(), [](const auto& x) { return x.runs == 1; });
    }));
  }
  for (const auto& job : jobs)
    ASSERT_EQ(job.held, 0);
}

TEST(Scheduler, AJobThatWantsToGoOnLeavesOthersTheirTurn) {
  std::atomic<bool> stop = false;
  CountJob greedy{
      [&] { return stop ? caf::resumable::awaiting_message : caf::resumable::resume_later; }};
  CountJob other;
  ScheduledSystem on{1};
  hand_over(on, greedy);
  ASSERT_TRUE(comes_true([&] { return greedy.runs > 100; }));
  hand_over(on, other);
  EXPECT_TRUE(comes_true([&] { return other.runs == 1; }));
  stop = true;
}

// Jobs that wake jobs, on the thread of the one that wakes and on those of thieves.
TEST(Scheduler, RunsWhatJobsWake) {
  constexpr std::size_t fan = 200;
  std::deque<CountJob> woken(fan * fan);
  std::deque<CountJob> wakers;
  {
    ScheduledSystem on{3};
    for (std::size_t i = 0; i < fan; ++i) {
      wakers.emplace_back([&, i] {
        for (std::size_t k = i * fan; k < (i + 1) * fan; ++k)
          hand_over(on, woken[k]);
        return caf::resumable::awaiting_message;
      });
    }
    for (auto& waker : wakers)
      hand_over(on, waker);
    EXPECT_TRUE(comes_true([&] {
      return std::all_of(woken.begin(), woken.end(), [](const auto& x) { return x.runs == 1; });
    }));
  }
  for (const auto& job : woken)
    ASSERT_EQ(job.held, 0);
}

// Both are woken by the same job, so they begin on the same thread, and neither of them takes long.
TEST(Scheduler, TwoThatAreAlwaysBusyGetAThreadEach) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<bool> stop = false;
  const auto work = [&] {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{20};
    while (std::chrono::steady_clock::now() < until) {
    }
    const std::lock_guard lock{mutex};
    threads.insert(std::this_thread::get_id());
    return stop ? caf::resumable::awaiting_message : caf::resumable::resume_later;
  };
  CountJob one{work};
  CountJob two{work};
  ScheduledSystem on{2};
  CountJob waker{[&] {
    hand_over(on, one);
    hand_over(on, two);
    return caf::resumable::awaiting_message;
  }};
  std::this_thread::sleep_for(std::chrono::milliseconds{20});  // Both threads have parked.
  hand_over(on, waker);
  EXPECT_TRUE(comes_true([&] {
    const std::lock_guard lock{mutex};
    return threads.size() == 2;
  }));
  stop = true;
}

// As a supervisor starts its children: nobody overtakes on a single thread.
TEST(Scheduler, RunsWhatOneJobWakesInOrder) {
  constexpr int count = 100;
  std::vector<int> order;
  std::deque<CountJob> woken;
  for (int i = 0; i < count; ++i) {
    woken.emplace_back([&, i] {
      order.push_back(i);
      return caf::resumable::awaiting_message;
    });
  }
  std::atomic<bool> done = false;
  CountJob last{[&] {
    done = true;
    return caf::resumable::awaiting_message;
  }};
  ScheduledSystem on{1};
  CountJob waker{[&] {
    for (auto& job : woken)
      hand_over(on, job);
    hand_over(on, last);
    return caf::resumable::awaiting_message;
  }};
  hand_over(on, waker);
  ASSERT_TRUE(comes_true([&] { return done.load(); }));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), static_cast<std::size_t>(count));
}

TEST(Scheduler, TheLaneRunsEveryJobOnce) {
  std::deque<CountJob> jobs(20'000);
  ScheduledSystem on{2};
  for (auto& job : jobs) {
    job.intrusive_ptr_add_ref_impl();
    on.scheduler().lane().exec_later(&job);
  }
  EXPECT_TRUE(comes_true([&] {
    return std::all_of(jobs.begin(), jobs.end(), [](const auto& x) { return x.runs == 1; });
  }));
}

TEST(Scheduler, LetsGoOfWhatItDidNotRun) {
  CountJob endless{[] { return caf::resumable::resume_later; }};
  std::atomic<bool> release = false;
  CountJob blocker{[&] {
    (void)comes_true([&] { return release.load(); });
    return caf::resumable::awaiting_message;
  }};
  std::deque<CountJob> behind(100);
  {
    ScheduledSystem on{1};
    hand_over(on, endless);
    hand_over(on, blocker);
    ASSERT_TRUE(comes_true([&] { return blocker.runs == 1; }));
    for (auto& job : behind)
      hand_over(on, job);
    release = true;
  }
  EXPECT_EQ(endless.held, 0);
  for (const auto& job : behind)
    ASSERT_EQ(job.held, 0);
}

}  // namespace
}  // namespace espalier::supervisor::testing
