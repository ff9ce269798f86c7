#include "espalier/pipeline/build/executor.hpp"
#include "libpipeline/build/gate.hpp"
#include "libpipeline/build/values.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <numeric>
#include <set>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

int fail(int) {
  throw std::out_of_range("no");
}

TEST(Executor, SubmitGivesAFuture) {  // B13
  Executor pool;
  const auto sum = pool.submit([](int a, int b) { return a + b; }, 1, 2);
  EXPECT_EQ(sum.get(), 3);
  EXPECT_TRUE(sum.done());
  EXPECT_EQ(sum.error(), nullptr);
}

TEST(Executor, FuturesCanBeReadInAnyOrder) {
  Executor pool;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 10; ++i)
    futures.push_back(pool.submit([](int x) { return x * x; }, i));
  for (int i = 9; i >= 0; --i)
    EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i * i);
  EXPECT_EQ(futures[7].sequence_id(), 7U);
}

TEST(Executor, CallsMayReturnNothingOrWhatCannotBeCopied) {
  std::atomic<bool> called = false;
  Executor pool;
  pool.submit([&] { called = true; }).get();
  EXPECT_TRUE(called);
  auto owned = pool.submit([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(4));
  EXPECT_EQ(*owned.get(), 4);
}

TEST(Executor, AFutureThrowsWhatTheCallThrew) {
  Executor pool;
  const auto future = pool.submit(fail, 1);
  EXPECT_THROW((void)future.get(), std::out_of_range);
  EXPECT_THROW(std::rethrow_exception(future.error()), std::out_of_range);
}

TEST(Executor, DoneIsFalseBeforeAndTrueAfter) {
  Gate gate;
  Executor pool;
  const auto future = pool.submit([&] { gate.pass(); });
  EXPECT_FALSE(future.done());
  EXPECT_FALSE(future.wait_for(0s)) << "zero does not wait";
  EXPECT_FALSE(future.wait_for(5ms));
  gate.open();
  EXPECT_TRUE(future.wait_for(20s));
}

TEST(Executor, OnDoneIsCalledOnce) {
  Gate gate;
  std::atomic<int> told = 0;
  Executor pool;
  const auto future = pool.submit([&] {
    gate.pass();
    return 5;
  });
  future.on_done([&](const Future<int>& over) { told += over.get(); });
  future.on_done([](const Future<int>&) { throw std::runtime_error("callback"); });
  gate.open();
  EXPECT_TRUE(soon([&] { return told == 5; }));
  future.on_done([&](const Future<int>&) { ++told; });
  EXPECT_EQ(told, 6) << "at once, when it is over already";
}

TEST(Executor, MapKeepsTheOrderOfTheInput) {
  Executor pool;
  const auto squares = pool.map(
      [](int x) {
        if (x == 0) std::this_thread::sleep_for(20ms);
        return x * x;
      },
      numbers(5));
  EXPECT_THAT(squares, ElementsAre(0, 1, 4, 9, 16));
}

TEST(Executor, MapOfSeveralRangesGoesAsFarAsTheShortest) {
  Executor pool;
  const std::vector<int> a = {1, 2, 3};
  const std::vector<int> b = {10, 20};
  EXPECT_THAT(pool.map([](int x, int y) { return x + y; }, a, b), ElementsAre(11, 22));
  EXPECT_THAT(pool.map([](int x) { return x; }, std::vector<int>{}), IsEmpty());
}

TEST(Executor, MapThrowsTheFirstFailureOfTheInput) {
  Executor pool;
  const auto odd_fails = [](int x) {
    if (x == 1) std::this_thread::sleep_for(10ms);
    if (x % 2 == 1) throw std::runtime_error("item " + std::to_string(x));
    return x;
  };
  try {
    (void)pool.map(odd_fails, numbers(6));
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "item 1");
  }
}

TEST(Executor, RetriesRepeatOnlyWhatFailed) {
  std::array<std::atomic<int>, 4> calls = {};
  Executor pool;
  const auto flaky = [&](int x) {
    const int call = ++calls[static_cast<std::size_t>(x)];
    if (x == 2 && call < 3) throw std::runtime_error("not yet");
    return x;
  };
  EXPECT_THAT(pool.map({.retries = 3, .delay = 1ms}, flaky, numbers(4)), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(calls[2], 3);
  EXPECT_EQ(calls[1], 1);
}

TEST(Executor, ExhaustedRetriesThrowTheLastError) {
  std::atomic<int> calls = 0;
  Executor pool;
  const auto dead = [&](int) -> int { throw std::out_of_range("call " + std::to_string(++calls)); };
  const auto future = pool.submit({.retries = 2, .delay = 1ms}, dead, 1);
  try {
    (void)future.get();
    FAIL() << "no exception";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "call 3");
  }
  EXPECT_EQ(calls, 3);
  EXPECT_THROW((void)pool.map({.retries = 1, .delay = 1ms}, dead, numbers(2)), std::out_of_range);
}

TEST(Executor, ThePauseDoublesAndKeepsNoThread) {
  Executor pool({.workers = 1});
  std::vector<std::chrono::steady_clock::time_point> times;
  const auto dead = pool.submit({.retries = 2, .delay = 20ms}, [&] {
    times.push_back(std::chrono::steady_clock::now());
    throw std::runtime_error("no");
  });
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  EXPECT_FALSE(dead.done()) << "the only worker was free in between";
  EXPECT_THROW(dead.get(), std::runtime_error);
  ASSERT_THAT(times, SizeIs(3));
  EXPECT_GE(times[1] - times[0], 20ms);
  EXPECT_GE(times[2] - times[1], 40ms);
}

TEST(Executor, MapIterGivesResultsInOrder) {
  Executor pool;
  std::vector<int> all;
  for (const int x : pool.map_iter([](int i) { return i + 1; }, numbers(20)))
    all.push_back(x);
  EXPECT_THAT(all, SizeIs(20));
  EXPECT_EQ(all[19], 20);
}

TEST(Executor, MapIterReadsOnlyALittleAheadAndMayBeLeft) {
  std::atomic<int> calls = 0;
  Executor pool({.workers = 2});
  auto results = pool.map_iter([&](int x) { return ++calls, x; }, numbers(1000));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(results.next(), i);
  EXPECT_LE(calls, 3 + 4);
}

TEST(Executor, MapIterRetriesAndThrows) {
  std::atomic<int> calls = 0;
  Executor pool;
  const auto flaky = [&](int x) { return ++calls == 1 ? throw std::runtime_error("once") : x; };
  auto good = pool.map_iter({.retries = 1, .delay = 1ms}, flaky, std::vector<int>{7});
  EXPECT_EQ(good.next(), 7);
  EXPECT_EQ(good.next(), std::nullopt);
  auto bad = pool.map_iter({.retries = 1, .delay = 1ms}, fail, std::vector<int>{7});
  EXPECT_THROW((void)bad.next(), std::out_of_range);
}

TEST(Executor, ALimitHoldsBelowTheWorkers) {
  Peak peak;
  Executor pool({.workers = 10});
  const Limit two(2);
  std::vector<Future<void>> futures;
  for (int i = 0; i < 12; ++i)
    futures.push_back(pool.submit({.limit = two}, [&] {
      peak.enter();
      std::this_thread::sleep_for(2ms);
      peak.leave();
    }));
  for (const auto& future : futures)
    future.get();
  EXPECT_EQ(peak.most(), 2);
  EXPECT_THROW(Limit(0), std::invalid_argument);
}

TEST(Executor, NoMoreCallsRunAtOnceThanThereAreWorkers) {
  Peak peak;
  Gate gate;
  Executor pool({.workers = 3});
  std::vector<Future<void>> futures;
  for (int i = 0; i < 10; ++i)
    futures.push_back(pool.submit([&] {
      peak.enter();
      gate.pass();
      peak.leave();
    }));
  ASSERT_TRUE(gate.wait_for_waiting(3));
  gate.open();
  for (const auto& future : futures)
    future.get();
  EXPECT_EQ(peak.most(), 3);
  EXPECT_THROW(Executor({.workers = 0}), std::invalid_argument);
}

TEST(Executor, TakesNothingAfterItsShutdown) {
  Executor pool;
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  pool.shutdown();
  pool.shutdown();
  EXPECT_THROW((void)pool.submit([] { return 1; }), ExecutorShutdown);
  EXPECT_THROW((void)pool.map([](int x) { return x; }, numbers(3)), ExecutorShutdown);
}

TEST(Executor, ShutdownFinishesWhatWasSubmitted) {
  Executor pool({.workers = 1});
  std::vector<Future<int>> futures;
  for (int i = 0; i < 20; ++i)
    futures.push_back(pool.submit([](int x) { return x; }, i));
  pool.shutdown();
  for (const auto& future : futures)
    EXPECT_TRUE(future.done());
}

TEST(Executor, ShutdownMayCancelWhatIsQueued) {
  Gate gate;
  Executor pool({.workers = 1});
  const auto running = pool.submit([&] {
    gate.pass();
    return 1;
  });
  const auto queued = pool.submit([] { return 2; });
  ASSERT_TRUE(gate.wait_for_waiting(1));
  pool.shutdown(false, true);
  EXPECT_THROW((void)queued.get(), CallCancelled);
  gate.open();
  EXPECT_EQ(running.get(), 1);
}

TEST(Executor, ShutdownWithoutWaitingDoesNotWait) {  // B14
  Gate gate;
  Executor pool({.workers = 1});
  const auto future = pool.submit([&] { gate.pass(); });
  ASSERT_TRUE(gate.wait_for_waiting(1));
  pool.shutdown(false);
  EXPECT_FALSE(future.done());
  gate.open();
  future.get();
}

TEST(Executor, ShutdownCancelsCallsThatWaitForTheirNextAttempt) {
  std::atomic<int> calls = 0;
  Executor pool({.workers = 1});
  const auto future = pool.submit({.retries = 5, .delay = 1h}, [&] {
    ++calls;
    throw std::runtime_error("no");
  });
  ASSERT_TRUE(soon([&] { return calls == 1; }));
  pool.shutdown(true, true);
  EXPECT_TRUE(future.done());
  EXPECT_THROW(future.get(), std::exception);
}

TEST(Executor, AQueuedCallCanBeCancelled) {
  Gate gate;
  Executor pool({.workers = 1});
  const auto running = pool.submit([&] { gate.pass(); });
  std::atomic<bool> called = false;
  const auto queued = pool.submit([&] { called = true; });
  ASSERT_TRUE(gate.wait_for_waiting(1));
  EXPECT_TRUE(queued.cancel());
  EXPECT_FALSE(running.cancel());
  EXPECT_THROW(queued.get(), CallCancelled);
  gate.open();
  running.get();
  pool.shutdown();
  EXPECT_FALSE(called);
}

TEST(Executor, ACallThatThrowsAnythingKeepsItsWorker) {  // B10
  Executor pool({.workers = 1});
  EXPECT_THROW(pool.submit([] { throw 42; }).get(), int);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
}

TEST(Executor, AsCompletedGivesEachFutureOnce) {
  Executor pool;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 5; ++i)
    futures.push_back(pool.submit([](int x) { return x; }, i));
  std::set<int> seen;
  for (auto& future : as_completed(futures))
    EXPECT_TRUE(seen.insert(future.get()).second);
  EXPECT_THAT(seen, SizeIs(5));
}

TEST(Executor, AsCompletedGivesTheFastOneFirst) {
  Gate gate;
  Executor pool({.workers = 2});
  std::vector<Future<int>> futures;
  futures.push_back(pool.submit([&] {
    gate.pass();
    return 1;
  }));
  futures.push_back(pool.submit([] { return 2; }));
  auto over = as_completed(futures);
  EXPECT_EQ(over.next()->get(), 2);
  gate.open();
  EXPECT_EQ(over.next()->get(), 1);
  EXPECT_FALSE(over.next());
}

TEST(Executor, TheTimeLimitOfAsCompletedIsForAllTogether) {
  Gate gate;
  Executor pool({.workers = 1});
  const std::vector futures = {pool.submit([&] { gate.pass(); })};
  auto over = as_completed(futures, 10ms);
  EXPECT_THROW((void)over.next(), WaitTimedOut);
  gate.open();
}

TEST(Executor, AsCompletedCostsTheSameForEachOfMany) {  // B17
  Executor pool({.workers = 2});
  const auto time_for = [&](int count) {
    std::vector<Future<int>> futures;
    for (int i = 0; i < count; ++i)
      futures.push_back(pool.submit([](int x) { return x; }, i));
    const auto begin = std::chrono::steady_clock::now();
    int seen = 0;
    for (auto& future : as_completed(futures))
      seen += future.done() ? 1 : 0;
    EXPECT_EQ(seen, count);
    return std::chrono::steady_clock::now() - begin;
  };
  (void)time_for(1000);
  EXPECT_LT(time_for(20000), 5s) << "20000 took AntFlow about a minute";
}

struct Three {
  Gate gate = {};
  Executor pool = Executor({.workers = 3});
  std::vector<Future<int>> futures = {};
};

TEST(Wait, ForAll) {
  Executor pool;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 5; ++i)
    futures.push_back(pool.submit([](int x) { return x; }, i));
  const auto result = wait(futures);
  EXPECT_THAT(result.done, SizeIs(5));
  EXPECT_THAT(result.not_done, IsEmpty());
  EXPECT_THAT(wait(futures, WaitFor::all, 20s).done, SizeIs(5));
}

TEST(Wait, ForAny) {
  Three three;
  for (int i = 0; i < 3; ++i)
    three.futures.push_back(three.pool.submit([&, i] {
      if (i != 1) three.gate.pass();
      return i;
    }));
  const auto result = wait(three.futures, WaitFor::any);
  ASSERT_THAT(result.done, SizeIs(1));
  EXPECT_EQ(result.done[0].get(), 1);
  EXPECT_THAT(result.not_done, SizeIs(2));
  three.gate.open();
}

TEST(Wait, ForAnyGivesAllThatAreOver) {  // B16
  Executor pool;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 5; ++i)
    futures.push_back(pool.submit([](int x) { return x; }, i));
  EXPECT_THAT(wait(futures).done, SizeIs(5));
  EXPECT_THAT(wait(futures, WaitFor::any).done, SizeIs(5));
}

TEST(Wait, ForTheFirstError) {
  Three three;
  three.futures.push_back(three.pool.submit([&] {
    three.gate.pass();
    return 1;
  }));
  three.futures.push_back(three.pool.submit(fail, 1));
  const auto result = wait(three.futures, WaitFor::first_error);
  ASSERT_FALSE(result.done.empty());
  EXPECT_NE(result.done[0].error(), nullptr);
  EXPECT_THAT(result.not_done, SizeIs(1));
  three.gate.open();
  EXPECT_THAT(wait(three.futures, WaitFor::first_error).done, testing::Not(IsEmpty()));
}

TEST(Wait, SaysWhatWasNotOverInTime) {  // B15
  Gate gate;
  Executor pool({.workers = 5});
  std::vector<Future<void>> futures;
  for (int i = 0; i < 5; ++i)
    futures.push_back(pool.submit([&] { gate.pass(); }));
  for (const auto what : {WaitFor::all, WaitFor::any, WaitFor::first_error}) {
    EXPECT_THAT(wait(futures, what, 5ms).not_done, SizeIs(5));
    EXPECT_THAT(wait(futures, what, 0s).not_done, SizeIs(5)) << "zero only looks";
  }
  gate.open();
}

TEST(Wait, ForNothing) {
  const auto result = wait(std::vector<Future<int>>{});
  EXPECT_THAT(result.done, IsEmpty());
  EXPECT_THAT(result.not_done, IsEmpty());
}

TEST(Wait, WithSuccessAndFailure) {
  Executor pool;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 5; ++i)
    futures.push_back(
        pool.submit([](int x) { return x % 2 == 1 ? throw std::runtime_error("odd") : x; }, i));
  const auto result = wait(futures);
  EXPECT_THAT(result.done, SizeIs(5));
  EXPECT_EQ(std::count_if(result.done.begin(), result.done.end(),
                          [](const auto& future) { return future.error() != nullptr; }),
            2);
}

}  // namespace
}  // namespace espalier::pipeline
