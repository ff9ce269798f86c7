#include "espalier/pipeline_async.hpp"
#include "libpipeline/build/gate.hpp"
#include "libpipeline/build/values.hpp"

#include <gmock/gmock.h>

#include <numeric>

namespace espalier::pipeline {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::SizeIs;

asio::awaitable<void> pause(Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

TEST(Coroutines, AsManyWaitAtOnceAsTheStageHasWorkers) {
  Peak peak;
  auto p = from<int>()
               .stage("wait",
                      [&](int x) -> asio::awaitable<int> {
                        peak.enter();
                        co_await pause(20ms);
                        peak.leave();
                        co_return x + 1;
                      },
                      {.workers = 50})
               .stage("plain", [](int x) { return 2 * x; })
               .build();
  const auto results = p.run(numbers(100));
  ASSERT_THAT(results, SizeIs(100));
  EXPECT_EQ(*results[99], 200);
  EXPECT_LE(peak.most(), 50);
  EXPECT_GE(peak.most(), 10);
}

TEST(Coroutines, AreTriedAgainAndFailLikeFunctions) {
  std::atomic<int> calls = 0;
  auto p = from<int>()
               .stage("flaky",
                      [&](int x) -> asio::awaitable<int> {
                        co_await pause(1ms);
                        if (x == 1) throw std::out_of_range("one");
                        if (++calls == 1) throw std::runtime_error("once");
                        co_return x;
                      },
                      {.workers = 4, .retry = fixed(3, 1ms)})
               .build();
  const auto results = p.run({0, 1});
  EXPECT_EQ(*results[0], 0);
  EXPECT_EQ(results[1].failure()->type, "std::out_of_range");
  EXPECT_EQ(results[1].failure()->attempts, 3U);
}

TEST(Coroutines, EndWhenTheirTimeIsOver) {
  auto p = from<int>()
               .stage("slow",
                      [](int x) -> asio::awaitable<int> {
                        if (x == 0) co_await pause(1h);
                        co_return x;
                      },
                      {.workers = 2, .timeout = 30ms})
               .build();
  const auto results = p.run({0, 1});
  EXPECT_EQ(results[0].failure()->kind, Failure::Kind::timed_out);
  EXPECT_EQ(*results[1], 1);
}

TEST(Coroutines, EndWithAnAbort) {
  std::atomic<bool> begun = false;
  auto p = from<int>()
               .stage("slow",
                      [&](int x) -> asio::awaitable<int> {
                        begun = true;
                        co_await pause(1h);
                        co_return x;
                      })
               .build();
  p.start();
  p.feed(1);
  ASSERT_TRUE(soon([&] { return begun.load(); }));
  p.abort();
  EXPECT_TRUE(p.drain(20s));
  EXPECT_EQ(p.counts().cancelled, 1U);
}

TEST(Coroutines, ShareALimitWithFunctions) {
  Peak peak;
  const Limit two(2);
  const auto plain = [&](int x) {
    peak.enter();
    std::this_thread::sleep_for(2ms);
    peak.leave();
    return x;
  };
  auto p = from<int>()
               .stage("async",
                      task("wait",
                           [&](int x) -> asio::awaitable<int> {
                             peak.enter();
                             co_await pause(2ms);
                             peak.leave();
                             co_return x;
                           },
                           {.limit = two}),
                      {.workers = 8})
               .stage("plain", task("plain", plain, {.limit = two}), {.workers = 4})
               .build();
  EXPECT_THAT(p.run(numbers(20)), SizeIs(20));
  EXPECT_EQ(p.counts().succeeded, 20U);
  EXPECT_LE(peak.most(), 2);
}

}  // namespace
}  // namespace espalier::pipeline
