// Every call that waits gets an answer, whatever happens beside it.
#include "libpipeline/run/pipes.hpp"

#include <gmock/gmock.h>

#include <future>

namespace espalier::pipeline::testing {
namespace {

StageOptions one_by_one(std::uint32_t workers = 1, std::size_t capacity = 0) {
  StageOptions options;
  options.workers = workers;
  options.capacity = capacity;
  options.batch_limit = 1;
  return options;
}

/// A stage whose tasks wait until the gate is open or a stop is requested.
FunctionKernel::Function at(Gate& gate, std::atomic<int>& inside) {
  return [&](Item&, RunContext& context) {
    ++inside;
    const std::stop_callback stopped(context.stop_token(), [&gate] { gate.open(); });
    gate.wait();
  };
}

template <class F>
auto beside(F function) {
  return std::async(std::launch::async, std::move(function));
}

template <class T>
bool answered(std::future<T>& call) {
  return call.wait_for(5s) == std::future_status::ready;
}

class WaitingTest : public ::testing::Test {
 protected:
  ~WaitingTest() override { gate_.open(); }
  Gate gate_;
  std::atomic<int> inside_ = 0;
};

TEST_F(WaitingTest, FeedersAreToldOfACancel) {
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(1, 2))}), {});
  runner.start();
  auto feeder = beside([&] { return runner.feed(0, items(100)); });
  ASSERT_TRUE(happens([&] { return inside_ == 1 && runner.counts().accepted == 2; }));
  runner.cancel("enough");
  ASSERT_TRUE(answered(feeder));
  const auto fed = feeder.get();
  EXPECT_EQ(fed.fed, Runner::Fed::closed);
  EXPECT_EQ(fed.count, 2U);
  gate_.open();
  EXPECT_TRUE(runner.stop(in(5s)));
  const auto counts = runner.counts();
  EXPECT_EQ(counts.accepted, 2U);
  EXPECT_EQ(counts.in_flight(), 0U);
}

TEST_F(WaitingTest, ManyFeedersBlockedAtOnceAreToldOfACancel) {
  Runner runner(line({stage("a", nothing(), one_by_one(64)),
                      stage("b", at(gate_, inside_), one_by_one(1, 1))}),
                {});
  runner.start();
  std::vector<std::future<Runner::FeedResult>> feeders;
  for (int i = 0; i < 20; ++i)
    feeders.push_back(beside([&] { return runner.feed(0, items(500)); }));
  ASSERT_TRUE(happens([&] { return inside_ == 1; }));
  runner.cancel("enough");
  std::size_t accepted = 0;
  for (auto& feeder : feeders) {
    ASSERT_TRUE(answered(feeder));
    accepted += feeder.get().count;
  }
  gate_.open();
  EXPECT_TRUE(runner.stop(in(5s)));
  EXPECT_EQ(runner.counts().accepted, accepted);
  EXPECT_EQ(runner.counts().in_flight(), 0U);
}

TEST_F(WaitingTest, AFeederGivesUpInTime) {
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(1, 1))}), {});
  runner.start();
  const auto begin = Clock::now();
  const auto fed = runner.feed(0, items(3), in(30ms));
  EXPECT_EQ(fed.fed, Runner::Fed::timed_out);
  EXPECT_EQ(fed.count, 1U);
  EXPECT_GE(Clock::now() - begin, 30ms);
  EXPECT_EQ(runner.feed(0, items(1), Clock::now()).fed, Runner::Fed::timed_out);
}

TEST_F(WaitingTest, AnUrgentFeederOvertakesThoseThatWait) {
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  Runner runner(line({stage(
                    "a",
                    [&](Item& item, RunContext&) {
                      gate_.wait();
                      const std::lock_guard lock(mutex);
                      order.push_back(item.value.as<std::uint64_t>());
                    },
                    one_by_one(1, 1))}),
                {});
  runner.start();
  runner.feed(0, items(1));
  const auto feed_one = [&runner](std::uint64_t value, std::int32_t priority) {
    std::vector<Item> one;
    one.push_back(item_of(value, priority));
    return runner.feed(0, std::move(one));
  };
  auto first = beside([&] { return feed_one(1, 100); });
  std::this_thread::sleep_for(20ms);
  auto second = beside([&] { return feed_one(2, 100); });
  std::this_thread::sleep_for(20ms);
  auto urgent = beside([&] { return feed_one(3, 1); });
  std::this_thread::sleep_for(20ms);
  auto results = beside([&] { return take_all(runner); });
  gate_.open();
  for (auto* one : {&first, &second, &urgent})
    ASSERT_TRUE(answered(*one));
  runner.close_input();
  ASSERT_TRUE(answered(results));
  EXPECT_THAT(order, ::testing::ElementsAre(0, 3, 1, 2));
}

TEST_F(WaitingTest, RejectAnswersAtOnceAndCounts) {
  PipelineOptions options;
  options.overflow = Overflow::reject;
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(1, 2))}, options), {});
  runner.start();
  const auto fed = runner.feed(0, items(600));
  EXPECT_EQ(fed.fed, Runner::Fed::rejected);
  EXPECT_EQ(fed.first, 0U);
  EXPECT_EQ(fed.count, 2U);
  EXPECT_EQ(runner.counts().rejected, 598U);
}

TEST_F(WaitingTest, DropOldestTakesTheNewest) {
  PipelineOptions options;
  options.overflow = Overflow::drop_oldest;
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(1, 2))}, options), {});
  runner.start();
  runner.feed(0, items(1));
  ASSERT_TRUE(happens([&] { return inside_ == 1; }));
  EXPECT_EQ(runner.feed(0, items(5, 1)).count, 5U);
  auto results = beside([&] { return take_all(runner); });
  gate_.open();
  runner.close_input();
  ASSERT_TRUE(answered(results));
  const auto taken = results.get();
  EXPECT_THAT(taken.values, ::testing::ElementsAre(0, 5));
  EXPECT_EQ(runner.counts().cancelled, 4U);
}

TEST_F(WaitingTest, ATakerIsToldThatThereWillBeNothing) {
  Runner runner(line({stage("a", nothing())}), {});
  EXPECT_FALSE(runner.take()) << "not even started";
  runner.start();
  EXPECT_FALSE(runner.take(in(20ms)));
  for (const std::string how : {"close", "cancel", "abort", "stop"}) {
    runner.start();
    auto taker = beside([&] { return runner.take(); });
    std::this_thread::sleep_for(5ms);
    if (how == "close") runner.close_input();
    if (how == "cancel") runner.cancel("test");
    if (how == "abort") runner.abort("test");
    if (how == "stop") runner.stop(in(5s));
    ASSERT_TRUE(answered(taker)) << how;
    EXPECT_FALSE(taker.get()) << how;
    EXPECT_TRUE(runner.stop(in(5s)));
  }
}

TEST_F(WaitingTest, CancelWhileTakingGivesTheCancelledItems) {
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(1, 5))}), {});
  runner.start();
  runner.feed(0, items(5));
  ASSERT_TRUE(happens([&] { return inside_ == 1; }));
  auto taker = beside([&] { return take_all(runner); });
  runner.cancel("enough");
  gate_.open();
  ASSERT_TRUE(answered(taker));
  const auto taken = taker.get();
  EXPECT_EQ(taken.values.size() + taken.errors.size(), 5U);
  EXPECT_GE(taken.errors.size(), 4U);
}

TEST_F(WaitingTest, CancelWhileDraining) {
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(1, 5))}), {});
  runner.start();
  runner.feed(0, items(5));
  ASSERT_TRUE(happens([&] { return inside_ == 1; }));
  EXPECT_FALSE(runner.drain(in(10ms))) << "not in time";
  auto drain = beside([&] { return runner.drain({}); });
  runner.cancel("enough");
  gate_.open();
  ASSERT_TRUE(answered(drain));
  EXPECT_TRUE(drain.get());
}

TEST_F(WaitingTest, AbortEndsADrainAtOnceAndAsksTheTasksToStop) {
  Runner runner(line({stage("a", at(gate_, inside_), one_by_one(2, 5))}), {});
  runner.start();
  runner.feed(0, items(5));
  ASSERT_TRUE(happens([&] { return inside_ == 2; }));
  auto drain = beside([&] { return runner.drain({}); });
  runner.abort("enough");
  ASSERT_TRUE(answered(drain));
  EXPECT_TRUE(runner.stop(in(5s)));
  EXPECT_EQ(runner.counts().cancelled, 5U);
}

TEST_F(WaitingTest, StopBesideARunEndsTheRun) {
  for (const bool while_feeding : {true, false}) {
    Gate gate;
    std::atomic<int> inside = 0;
    Runner runner(line({stage("a", at(gate, inside), one_by_one(2, 4))}), {});
    auto running = beside([&] { return run(runner, numbers(while_feeding ? 1000 : 4)); });
    ASSERT_TRUE(happens([&] { return inside == 2; }));
    auto stop = beside([&] { return runner.stop(in(5s)); });
    std::this_thread::sleep_for(5ms);
    gate.open();
    ASSERT_TRUE(answered(stop));
    EXPECT_TRUE(stop.get());
    ASSERT_TRUE(answered(running));
    EXPECT_EQ(runner.counts().in_flight(), 0U);
  }
}

TEST_F(WaitingTest, StopSaysWhenATaskDoesNotEndInTime) {
  Runner runner(line({stage(
                    "a",
                    [&](Item&, RunContext&) {
                      ++inside_;
                      gate_.wait();
                    },
                    one_by_one())}),
                {});
  runner.start();
  runner.feed(0, items(1));
  ASSERT_TRUE(happens([&] { return inside_ == 1; }));
  runner.abort("now");
  EXPECT_FALSE(runner.stop(in(10ms)));
  EXPECT_TRUE(runner.running());
  gate_.open();
  EXPECT_TRUE(runner.stop(in(5s)));
  EXPECT_FALSE(runner.running());
}

TEST_F(WaitingTest, TwoStopsAtOnceBothReturn) {
  Runner runner(line({stage("a", nothing(), one_by_one(4))}), {});
  for (int i = 0; i < 20; ++i) {
    runner.start();
    runner.feed(0, items(3));
    auto first = beside([&] { return runner.stop(in(5s)); });
    auto second = beside([&] { return runner.stop(in(5s)); });
    ASSERT_TRUE(answered(first) && answered(second));
    EXPECT_TRUE(first.get());
    EXPECT_TRUE(second.get());
  }
}

TEST_F(WaitingTest, CallsFromInsideATaskThatWouldWaitForThemselvesDoNotWait) {
  std::atomic<Runner*> self = nullptr;
  std::atomic<int> answers = 0;
  Runner runner(line({stage("a",
                            [&](Item&, RunContext&) {
                              auto& mine = *self.load();
                              answers += mine.wait_idle({}) ? 100 : 1;
                              answers += mine.drain({}) ? 100 : 1;
                              mine.wait_for_sources();
                              answers += mine.stop({}) ? 100 : 1;
                            })}),
                {});
  self = &runner;
  runner.start();
  runner.feed(0, items(1));
  ASSERT_TRUE(happens([&] { return answers > 2; }));
  EXPECT_EQ(answers, 3);
  EXPECT_TRUE(runner.stop(in(5s)));
}

TEST_F(WaitingTest, RetriesOfAFullStageDoNotWaitForThemselves) {
  auto options = one_by_one(2, 4);
  options.retry.attempts = 3;
  options.retry.scope = RetryScope::per_stage;
  options.retry.backoff.initial = options.retry.backoff.max = 1ms;
  Runner runner(line({stage(
                    "bad", [](Item&, RunContext&) { throw std::runtime_error("no"); }, options)}),
                {});
  auto running = beside([&] { return run(runner, numbers(100)); });
  ASSERT_TRUE(answered(running));
  EXPECT_EQ(running.get().errors.size(), 100U);
  EXPECT_EQ(runner.counts().failed, 100U);
}

TEST_F(WaitingTest, NothingThatWasFedIsStrandedByADrain) {
  for (int round = 0; round < 50; ++round) {
    PipelineOptions options;
    options.keep_results = false;
    Runner runner(
        line({stage("a", nothing(), one_by_one(2)), stage("b", nothing(), one_by_one(2))}, options),
        {});
    runner.start();
    auto feeder = beside([&] {
      std::size_t accepted = 0;
      for (;;) {
        const auto fed = runner.feed(0, items(3));
        accepted += fed.count;
        if (fed.fed == Runner::Fed::closed) return accepted;
      }
    });
    std::this_thread::sleep_for(200us);
    EXPECT_TRUE(runner.drain(in(5s)));
    ASSERT_TRUE(answered(feeder));
    EXPECT_EQ(runner.counts().succeeded, feeder.get());
    EXPECT_EQ(runner.counts().in_flight(), 0U);
  }
}

TEST_F(WaitingTest, DestroyingARunnerAsksItsTasksToStop) {
  {
    Runner runner(line({stage("a", at(gate_, inside_), one_by_one(2, 5))}), {});
    runner.start();
    runner.feed(0, items(5));
    ASSERT_TRUE(happens([&] { return inside_ == 2; }));
  }
  EXPECT_EQ(inside_, 2);
}

TEST_F(WaitingTest, ADrainEndsAlthoughNobodyTakes) {
  PipelineOptions options;
  options.output_capacity = 1;
  Runner runner(line({stage("a", nothing(), one_by_one(1, 8))}, options), {});
  runner.start();
  EXPECT_EQ(runner.feed(0, items(6)).count, 6U);
  ASSERT_TRUE(happens([&] { return runner.snapshot().outputs_waiting == 1; }));
  EXPECT_FALSE(runner.wait_idle(in(20ms))) << "input is open, and nobody takes";
  EXPECT_TRUE(runner.drain(in(5s)));
  EXPECT_EQ(runner.snapshot().outputs_waiting, 6U);
  EXPECT_EQ(runner.counts().succeeded, 6U);
  std::size_t taken = 0;
  while (auto chunk = runner.take()) {
    taken += chunk->items.size();
    runner.recycle(std::move(chunk));
  }
  EXPECT_EQ(taken, 6U);
}

}  // namespace
}  // namespace espalier::pipeline::testing
