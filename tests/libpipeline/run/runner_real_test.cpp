#include "libpipeline/run/pipes.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace espalier::pipeline::testing {
namespace {

Duration cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

FunctionKernel::Function add_one() {
  return [](Item& item, RunContext&) { ++item.value.as<std::uint64_t>(); };
}

StageOptions workers(std::uint32_t count) {
  StageOptions options;
  options.workers = count;
  return options;
}

TEST(Runner, RunsItemsThroughAllStagesInInputOrder) {
  PipelineOptions options;
  options.output_order = Order::input;
  Runner runner(line({stage("a", add_one(), workers(2)), stage("b", add_one(), workers(2)),
                      stage("c", add_one(), workers(2))},
                     options),
                {});
  const auto taken = run(runner, numbers(10'000));
  ASSERT_EQ(taken.values.size(), 10'000U);
  for (std::uint64_t i = 0; i < 10'000; ++i)
    ASSERT_EQ(taken.values[i], i + 3);
}

TEST(Runner, OneItemNeedsNoThreadWhenTheCallerHelps) {
  Runner runner(line({stage("a", add_one()), stage("b", add_one())}), {});
  runner.start(Runner::Caller::helps);
  EXPECT_EQ(runner.feed(0, items(1)).fed, Runner::Fed::accepted);
  auto chunk = runner.help_and_take();
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->items.front().value.as<std::uint64_t>(), 2U);
  EXPECT_TRUE(runner.drain(in(5s)));
  EXPECT_EQ(runner.threads(), 0U);
  EXPECT_TRUE(runner.stop());
}

TEST(Runner, StartingRunningOneItemAndStoppingIsQuick) {
  std::vector<Duration> helped;
  std::vector<Duration> unhelped;
  for (int i = 0; i < 51; ++i) {
    Runner runner(line({stage("a", add_one()), stage("b", add_one())}), {});
    const auto begin = Clock::now();
    EXPECT_EQ(run(runner, numbers(1)).values.size(), 1U);
    helped.push_back(Clock::now() - begin);
    const auto middle = Clock::now();
    runner.start();
    runner.feed(0, items(1));
    runner.close_input();
    EXPECT_EQ(take_all(runner).values.size(), 1U);
    runner.stop();
    unhelped.push_back(Clock::now() - middle);
  }
  std::sort(helped.begin(), helped.end());
  std::sort(unhelped.begin(), unhelped.end());
  std::printf("one item, start to stop: %.1f us with the caller's help, %.1f us without\n",
              static_cast<double>(helped[25].count()) / 1e3,
              static_cast<double>(unhelped[25].count()) / 1e3);
  EXPECT_LT(helped[25], 20ms);
  EXPECT_LT(unhelped[25], 20ms);
}

TEST(Runner, AnIdleRunnerUsesNoProcessorTime) {
  Runner runner(line({stage("a", add_one(), workers(8))}), {});
  runner.start();
  runner.feed(0, items(1));
  ASSERT_TRUE(runner.take(in(5s)));
  std::this_thread::sleep_for(20ms);  // Whoever is awake goes to sleep.
  const auto before = cpu_time();
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(cpu_time() - before, 2ms);
  EXPECT_TRUE(runner.running());
}

TEST(Runner, SlowItemsGetAllTheWorkersTheyMayHave) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  auto options = workers(8);
  options.batch_limit = 1;
  Runner runner(line({stage(
                    "slow",
                    [&](Item&, RunContext&) {
                      const int now = ++inside;
                      for (int old = most; now > old && !most.compare_exchange_weak(old, now);) {
                      }
                      std::this_thread::sleep_for(20ms);
                      --inside;
                    },
                    options)}),
                {});
  const auto begin = Clock::now();
  EXPECT_EQ(run(runner, numbers(40)).values.size(), 40U);
  EXPECT_EQ(most, 8);
  EXPECT_LT(Clock::now() - begin, 600ms) << "40 items of 20 ms on 8 workers: 100 ms at best";
}

TEST(Runner, ItemsThatWaitForEachOtherMeet) {
  std::atomic<int> here = 0;
  auto options = workers(2);
  options.batch_limit = 1;
  Runner runner(line({stage(
                    "meet",
                    [&](Item&, RunContext&) {
                      ++here;
                      ASSERT_TRUE(happens([&] { return here >= 2; }));
                    },
                    options)}),
                {});
  EXPECT_EQ(run(runner, numbers(2)).values.size(), 2U);
}

TEST(Runner, CanBeStartedAgainWithCountsFromZero) {
  Runner runner(line({stage("a", add_one())}), {});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(run(runner, numbers(5)).values.size(), 5U);
    EXPECT_EQ(runner.counts().accepted, 5U);
    EXPECT_FALSE(runner.running());
  }
  EXPECT_TRUE(runner.start());
  EXPECT_FALSE(runner.start());
  EXPECT_EQ(runner.counts().accepted, 0U);
  const auto fed = runner.feed(0, items(2));
  EXPECT_EQ(fed.first, 0U);
  EXPECT_EQ(fed.count, 2U);
}

TEST(Runner, FeedingBeforeTheStartOrAfterTheEndIsRefused) {
  Runner runner(line({stage("a", add_one())}), {});
  EXPECT_EQ(runner.feed(0, items(1)).fed, Runner::Fed::closed);
  runner.start();
  EXPECT_TRUE(runner.drain(in(5s)));
  EXPECT_EQ(runner.feed(0, items(1)).fed, Runner::Fed::closed);
  EXPECT_TRUE(runner.stop());
  EXPECT_EQ(runner.feed(0, items(1)).fed, Runner::Fed::closed);
  EXPECT_EQ(runner.counts().accepted, 0U);
}

TEST(Runner, WorkersCanBeAddedWhileRunning) {
  Gate gate;
  std::atomic<int> inside = 0;
  auto options = workers(1);
  options.batch_limit = 1;
  Runner runner(line({stage(
                    "a",
                    [&](Item&, RunContext&) {
                      ++inside;
                      gate.wait();
                    },
                    options)}),
                {});
  runner.start();
  runner.feed(0, items(4));
  ASSERT_TRUE(happens([&] { return inside == 1; }));
  EXPECT_TRUE(runner.resize("a", 4));
  EXPECT_TRUE(happens([&] { return inside == 4; }));
  EXPECT_FALSE(runner.resize("nowhere", 4));
  EXPECT_FALSE(runner.resize("a", 0));
  gate.open();
  runner.close_input();
  EXPECT_EQ(take_all(runner).values.size(), 4U);
}

TEST(Runner, TasksSayWhatTheyAreDoing) {
  Gate gate;
  std::atomic<bool> said = false;
  std::atomic<bool> again = true;
  Runner runner(line({stage("fetch",
                            [&](Item&, RunContext&) {
                              set_task_status("waiting for page 1", 1h);
                              again = set_task_status("too soon", 1h);
                              said = true;
                              gate.wait();
                            })}),
                {});
  EXPECT_FALSE(set_task_status("not in a task"));
  runner.start();
  runner.feed(0, items(1));
  ASSERT_TRUE(happens([&] { return said.load(); }));
  EXPECT_FALSE(again);
  const auto at_work = runner.snapshot();
  ASSERT_EQ(at_work.workers.size(), 1U);
  EXPECT_EQ(at_work.workers.front().name, "fetch-W0");
  EXPECT_TRUE(at_work.workers.front().busy);
  EXPECT_EQ(at_work.workers.front().status, "waiting for page 1");
  gate.open();
  ASSERT_TRUE(runner.take(in(5s)));
  EXPECT_EQ(runner.snapshot().workers.front().status, "");
}

TEST(Runner, TheFirstStatusOfEachItemIsShownHoweverSoonItComes) {
  std::mutex mutex;
  std::vector<bool> shown;
  Runner runner(line({stage("a",
                            [&](Item&, RunContext&) {
                              const bool first = set_task_status("one", 1h);
                              const bool second = set_task_status("two", 1h);
                              const std::lock_guard lock(mutex);
                              shown.push_back(first);
                              shown.push_back(second);
                            })}),
                {});
  EXPECT_EQ(run(runner, numbers(3)).values.size(), 3U);
  EXPECT_THAT(shown, ::testing::ElementsAre(true, false, true, false, true, false));
}

}  // namespace
}  // namespace espalier::pipeline::testing
