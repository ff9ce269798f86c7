#include "espalier/pipeline_async.hpp"
#include "libpipeline/build/fake_run.hpp"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

namespace espalier::pipeline {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

asio::awaitable<void> pause(Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

template <class In, class Out>
struct Stage {
  explicit Stage(const Builder<In, Out>& builder) : pipeline(builder.build()) {}
  Pipeline<In, Out> pipeline;
  FakeRun run = {};

  const NodePlan& node() { return pipeline.plan().nodes.front(); }
  bool operator()(std::vector<Item>& items) { return node().kernel->run(items, run); }
  bool operator()(Item& item) { return node().kernel->run({&item, 1}, run); }
};

TEST(AsyncKernel, RunsCoroutinesBesideEachOther) {
  int now = 0;
  int most = 0;
  Stage stage(from<int>().stage("wait", [&](int x) -> asio::awaitable<std::string> {
    most = std::max(most, ++now);
    co_await pause(1ms);
    --now;
    co_return std::to_string(x);
  }));
  EXPECT_TRUE(stage.node().async);
  auto items = items_of<int>({1, 2, 3});
  EXPECT_TRUE(stage(items));
  EXPECT_EQ(items[2].value.as<std::string>(), "3");
  EXPECT_EQ(most, 3);
}

TEST(AsyncKernel, PlainTasksMayStandBetweenCoroutines) {
  Stage stage(from<int>().stage(
      "mixed", tasks([](int x) -> asio::awaitable<std::string> { co_return std::to_string(x); },
                     [](const std::string& s) { return s + "!"; },
                     [](std::string s) -> asio::awaitable<std::size_t> { co_return s.size(); })));
  auto item = item_of(12);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::size_t>(), 3U);
}

TEST(AsyncKernel, ExceptionsAndExpectedErrorsAreFailures) {
  using Maybe = espalier::expected<int, std::string>;
  Stage stage(from<int>().stage("s", tasks(
                                         [](int x) -> asio::awaitable<int> {
                                           if (x == 0) throw std::out_of_range("zero");
                                           co_return x;
                                         },
                                         task("half", [](int x) -> asio::awaitable<Maybe> {
                                           if (x == 1)
                                             co_return espalier::unexpected<std::string>("one");
                                           co_return x / 2;
                                         }))));
  auto items = items_of<int>({0, 1, 2});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].failure->type, "std::out_of_range");
  EXPECT_EQ(items[1].failure->message, "one");
  EXPECT_EQ(items[1].failure->task, "half");
  EXPECT_EQ(items[2].value.as<int>(), 1);
}

TEST(AsyncKernel, PerTaskGoesOnWithTheCoroutineThatFailed) {
  int first = 0;
  int second = 0;
  Stage stage(from<int>().stage(
      "two",
      tasks([&](int x) -> asio::awaitable<std::string> { co_return (++first, std::to_string(x)); },
            [&](const std::string& s) -> asio::awaitable<std::string> {
              if (++second == 1) throw std::runtime_error("not yet");
              co_return s + "!";
            }),
      {.retry = fixed(2, 0ms)}));
  stage.run.is_watched = true;
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.task, 1);
  next_attempt(item);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::string>(), "1!");
  EXPECT_EQ(first, 1);
  EXPECT_THAT(stage.run.told,
              ElementsAre("task 0 attempt 1 start", "task 0 attempt 1 complete",
                          "task 1 attempt 1 start", "task 1 attempt 1 retry: not yet",
                          "task 1 attempt 2 start", "task 1 attempt 2 complete"));
}

TEST(AsyncKernel, AStopCancelsWhatItWaitsFor) {
  FakeRun* run = nullptr;
  Stage stage(from<int>().stage("s",
                                [&](int x) -> asio::awaitable<int> {
                                  run->stop.request_stop();
                                  co_await pause(1h);
                                  co_return x;
                                },
                                {.timeout = 1s}));
  run = &stage.run;
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.failure->kind, Failure::Kind::timed_out);
}

TEST(AsyncKernel, ALimitHoldsCoroutinesBackWithoutAThread) {
  const Limit limit(2);
  int now = 0;
  int most = 0;
  Stage stage(from<int>().stage("s", task("t",
                                          [&](int x) -> asio::awaitable<int> {
                                            most = std::max(most, ++now);
                                            co_await pause(1ms);
                                            --now;
                                            co_return x;
                                          },
                                          {.limit = limit})));
  auto items = items_of<int>({1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(stage(items));
  EXPECT_EQ(most, 2);
  EXPECT_EQ(limit.in_use(), 0U);
}

TEST(AsyncKernel, AStopEndsTheWaitForALimit) {
  const Limit limit(1);
  ASSERT_TRUE(limit.try_acquire());
  Stage stage(from<int>().stage(
      "s", task("t", [](int x) -> asio::awaitable<int> { co_return x; }, {.limit = limit})));
  stage.run.stop.request_stop();
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_THAT(item.failure->message, HasSubstr("limit"));
  EXPECT_EQ(limit.in_use(), 1U);
  limit.release();
}

TEST(AsyncKernel, EveryShapeMayBeACoroutine) {
  Stage filter(from<int>().filter("f", [](int x) -> asio::awaitable<bool> { co_return x > 1; }));
  auto items = items_of<int>({1, 2});
  EXPECT_FALSE(filter(items));
  EXPECT_EQ(items[0].verdict, Verdict::skip);
  Stage words(from<int>().flat_map("w", [](int x) -> asio::awaitable<std::vector<int>> {
    co_return std::vector{x, x};
  }));
  auto item = item_of(5);
  EXPECT_FALSE(words(item));
  EXPECT_EQ(item.value.as<std::vector<Value>>().size(), 2U);
  int stored = 0;
  Stage sink(from<int>().sink("s", [&](int x) -> asio::awaitable<void> {
    stored = x;
    co_return;
  }));
  auto last = item_of(6);
  EXPECT_TRUE(sink(last));
  EXPECT_EQ(stored, 6);
}

}  // namespace
}  // namespace espalier::pipeline
