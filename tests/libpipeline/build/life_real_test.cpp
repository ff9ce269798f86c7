#include "espalier/pipeline/build/builder.hpp"
#include "libpipeline/build/gate.hpp"
#include "libpipeline/build/values.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Fed = Runner::Fed;

const auto same = [](int x) { return x; };

TEST(Life, StartFeedDrainResults) {
  auto p = from<int>().stage("s", [](int x) { return 2 * x; }).build();
  p.start();
  EXPECT_TRUE(p.running());
  EXPECT_EQ(p.feed(1).fed, Fed::accepted);
  EXPECT_EQ(p.feed(2).first, 1U);
  EXPECT_TRUE(p.drain(20s));
  EXPECT_FALSE(p.running());
  EXPECT_THAT(values(p.results()), UnorderedElementsAre(2, 4));
  EXPECT_THAT(p.results(), IsEmpty());
}

TEST(Life, ResultsCanBeTakenWhileItRuns) {
  auto p = from<int>().stage("s", same).build();
  p.start();
  p.feed(1);
  std::vector<int> seen;
  EXPECT_TRUE(soon([&] {
    for (int x : values(p.results()))
      seen.push_back(x);
    return seen.size() == 1;
  }));
  p.feed(2);
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(values(p.results()), ElementsAre(2));
}

TEST(Life, MoreResultsThanAnyCapacityCanWait) {
  auto p = from<int>().stage("s", same, {.capacity = 2}).build({.output_capacity = 2});
  p.start();
  EXPECT_EQ(p.feed_all(numbers(500)), 500U);
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(p.results(), SizeIs(500));
}

TEST(Life, ItemsCanBeFedToAnyStage) {
  auto p = from<std::string>()
               .stage("a", [](const std::string& s) { return s + "A"; })
               .stage("b", [](const std::string& s) { return s + "B"; })
               .stage("c", [](const std::string& s) { return s + "C"; })
               .build();
  p.start();
  p.feed("1");
  p.feed_to<std::string>("b", "2");
  p.feed_to<std::string>("c", "3");
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(values(p.results()), UnorderedElementsAre("1ABC", "2BC", "3C"));
}

TEST(Life, AnUnknownStageOrTypeIsRefused) {
  auto p = from<int>()
               .stage("size", [](int x) { return std::to_string(x); })
               .stage("text", [](const std::string& s) { return s; })
               .build();
  p.start();
  try {
    p.feed_to("parse", 1);
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("'parse' not found"));
    EXPECT_THAT(error.what(), HasSubstr("size, text"));
  }
  try {
    p.feed_to("text", 1);
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("string"));
    EXPECT_THAT(error.what(), HasSubstr("not int"));
  }
  EXPECT_TRUE(p.drain(20s));
}

TEST(Life, FeedingBeforeTheStartIsAMistakeAndAfterwardsRefused) {
  auto p = from<int>().stage("s", same).build();
  EXPECT_THROW(p.feed(1), std::logic_error);
  p.start();
  EXPECT_THROW(p.start(), std::logic_error);
  p.cancel();
  EXPECT_EQ(p.feed(1).fed, Fed::closed);
  EXPECT_TRUE(p.drain(20s));
}

TEST(Life, FeedAsyncReturnsAtOnce) {
  auto p = from<int>().stage("s", same).build();
  p.start();
  p.feed_async(numbers(100));
  p.feed_async([n = 100]() mutable -> std::optional<int> {
    if (n == 150) return std::nullopt;
    return n++;
  });
  EXPECT_TRUE(soon([&] { return p.counts().succeeded == 150; }));
  EXPECT_TRUE(p.drain(20s));
  auto all = values(p.results());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, numbers(150));
}

TEST(Life, AFullPipelineMakesTheFeederWait) {
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        gate.pass();
                        return x;
                      },
                      {.capacity = 2})
               .build();
  p.start();
  EXPECT_EQ(p.feed(1).fed, Fed::accepted);
  EXPECT_EQ(p.feed(2).fed, Fed::accepted);
  EXPECT_EQ(p.feed(3, {.timeout = 20ms}).fed, Fed::timed_out);
  EXPECT_EQ(p.feed(3, {.timeout = 0s}).fed, Fed::timed_out) << "zero does not wait";
  gate.open();
  EXPECT_EQ(p.feed(3).fed, Fed::accepted);
  EXPECT_TRUE(p.drain(20s));
}

TEST(Life, AFullPipelineMayRejectOrDrop) {
  for (const auto overflow : {Overflow::reject, Overflow::drop_oldest}) {
    Gate gate;
    auto p = from<int>()
                 .stage("s",
                        [&](int x) {
                          gate.pass();
                          return x;
                        },
                        {.capacity = 2, .batch_limit = 1})
                 .build({.overflow = overflow});
    p.start();
    p.feed(1);
    ASSERT_TRUE(gate.wait_for_waiting(1));
    p.feed(2);
    const auto third = p.feed(3);
    gate.open();
    EXPECT_TRUE(p.drain(20s));
    if (overflow == Overflow::reject) {
      EXPECT_EQ(third.fed, Fed::rejected);
      EXPECT_EQ(p.counts().rejected, 1U);
      EXPECT_EQ(p.counts().succeeded, 2U);
    } else {
      EXPECT_EQ(third.fed, Fed::accepted);
      EXPECT_EQ(p.counts().cancelled, 1U);
      EXPECT_EQ(p.counts().succeeded, 2U);
    }
  }
}

TEST(Life, UrgentItemsGoFirstAndEqualOnesInOrder) {
  Gate gate;
  std::mutex mutex;
  std::vector<int> order;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        if (x == 0) gate.pass();
                        const std::lock_guard lock(mutex);
                        order.push_back(x);
                        return x;
                      },
                      {.capacity = 20, .batch_limit = 1})
               .build();
  p.start();
  p.feed(0);
  ASSERT_TRUE(gate.wait_for_waiting(1));
  for (const auto& [value, priority] :
       std::vector<std::pair<int, int>>{{1, 500}, {2, 100}, {3, 0}, {4, 10}, {5, 100}})
    p.feed(value, {.priority = priority});
  gate.open();
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(order, ElementsAre(0, 3, 4, 2, 5, 1));
}

TEST(Life, DrainSaysWhenItsTimeIsOver) {  // B7
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        gate.pass();
                        return x;
                      })
               .build();
  p.start();
  p.feed(1);
  EXPECT_FALSE(p.drain(20ms));
  EXPECT_TRUE(p.running());
  gate.open();
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(values(p.results()), ElementsAre(1));
}

TEST(Life, CancelAccountsForEveryItem) {  // B7
  Gate gate;
  auto p = from<int>()
               .stage("many",
                      [&](int x) {
                        gate.pass();
                        return x;
                      },
                      {.workers = 9, .batch_limit = 1})
               .stage("one", same)
               .build();
  p.start();
  p.feed_all(numbers(40));
  ASSERT_TRUE(gate.wait_for_waiting(9));
  p.cancel("enough");
  gate.open();
  EXPECT_TRUE(p.drain(20s));
  const auto counts = p.counts();
  EXPECT_EQ(counts.accepted, 40U);
  EXPECT_EQ(counts.in_flight(), 0U);
  EXPECT_GE(counts.cancelled, 31U);
  auto results = p.results();
  ASSERT_THAT(results, SizeIs(40));
  const auto waited = std::count_if(results.begin(), results.end(), [](const auto& result) {
    return result.outcome() == Outcome::cancelled &&
           result.failure()->message.find("enough") != std::string::npos;
  });
  EXPECT_GE(waited, 31);
}

TEST(Life, AbortAsksRunningTasksToStop) {
  std::atomic<bool> begun = false;
  auto p = from<int>()
               .stage("s",
                      [&](int x, TaskContext& context) {
                        begun = true;
                        context.sleep_for(60s);
                        return x;
                      })
               .build();
  p.start();
  p.feed(1);
  ASSERT_TRUE(soon([&] { return begun.load(); }));
  const auto from_here = std::chrono::steady_clock::now();
  p.abort();
  EXPECT_TRUE(p.drain(20s));
  EXPECT_LT(std::chrono::steady_clock::now() - from_here, 10s);
  EXPECT_EQ(p.counts().cancelled, 1U);
}

TEST(Life, CancelDuringRunLetsRunReturn) {  // B8
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        gate.pass();
                        return x;
                      },
                      {.capacity = 3, .batch_limit = 1})
               .build();
  std::vector<Result<int>> results;
  std::thread runner([&] { results = p.run(numbers(100)); });
  ASSERT_TRUE(gate.wait_for_waiting(1));
  p.cancel();
  gate.open();
  runner.join();
  EXPECT_EQ(results.size(), p.counts().accepted);
  EXPECT_LT(results.size(), 100U);
  EXPECT_EQ(p.counts().in_flight(), 0U);
}

TEST(Life, ItemsFedToAnEarlyStageWhileItDrainsAreNotStranded) {  // B9
  Gate gate;
  auto p = from<int>()
               .stage("first", same)
               .stage("second",
                      [&](int x) {
                        gate.pass();
                        return x;
                      })
               .build();
  p.start();
  p.feed(1);
  ASSERT_TRUE(gate.wait_for_waiting(1));
  std::thread drainer([&] { EXPECT_TRUE(p.drain(20s)); });
  ASSERT_TRUE(soon([&] { return p.feed(2, {.timeout = 0s}).fed == Fed::closed; }));
  gate.open();
  drainer.join();
  EXPECT_EQ(p.counts().accepted, p.counts().succeeded);
}

TEST(Life, ATaskThatThrowsAnythingKeepsItsWorker) {  // B10
  auto p = from<int>()
               .stage("s",
                      [](int x) {
                        if (x % 3 == 0) throw 42;
                        return x;
                      })
               .build();
  EXPECT_THAT(p.run(numbers(30)), SizeIs(30));
  EXPECT_EQ(p.counts().failed, 10U);
  EXPECT_EQ(p.counts().succeeded, 20U);
}

TEST(Life, CanBeUsedAgainAfterADrainAndAfterACancel) {
  auto p = from<int>().stage("s", same).build();
  p.start();
  p.feed(1);
  EXPECT_TRUE(p.drain(20s));
  p.start();
  p.cancel();
  EXPECT_TRUE(p.drain(20s));
  p.start();
  p.feed(7);
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(values(p.results()), ElementsAre(7));
  EXPECT_THAT(values(p.run({8})), ElementsAre(8));
}

TEST(Life, WaitAnswersForSingleItems) {
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        if (x == 2) gate.pass();
                        return x == 3 ? throw std::runtime_error("three") : x;
                      },
                      {.workers = 3, .batch_limit = 1})
               .build();
  p.start();
  p.feed(1, {.id = "one"});
  p.feed(2, {.id = "two"});
  const auto any = p.wait({"one", "two"}, WaitFor::any, 20s);
  EXPECT_THAT(any.done, ElementsAre("one"));
  EXPECT_THAT(any.not_done, ElementsAre("two"));
  EXPECT_THAT(p.wait({"two"}, WaitFor::all, 10ms).done, IsEmpty());
  p.feed(3, {.id = "three"});
  EXPECT_THAT(p.wait({"two", "three"}, WaitFor::first_error, 20s).done, ElementsAre("three"));
  gate.open();
  EXPECT_THAT(p.wait({"one", "two", "three"}, WaitFor::all, 20s).done, SizeIs(3));
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(p.results(), SizeIs(3));
}

TEST(Life, WorkersCanBeAddedWhileItRuns) {
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        gate.pass();
                        return x;
                      },
                      {.batch_limit = 1})
               .build();
  p.start();
  p.feed_all(numbers(4));
  ASSERT_TRUE(gate.wait_for_waiting(1));
  p.resize("s", 3);
  EXPECT_TRUE(gate.wait_for_waiting(3));
  gate.open();
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THROW(p.resize("s", 0), std::invalid_argument);
  EXPECT_THROW(p.resize("t", 1), std::invalid_argument);
}

TEST(Life, CopiesAreTheSamePipeline) {
  auto p = from<int>().stage("s", same).build();
  AnyPipeline any = p;
  any.start();
  p.feed(1);
  EXPECT_TRUE(any.drain(20s));
  EXPECT_THAT(values(p.results()), ElementsAre(1));
}

TEST(Life, CanGoWhileItWorks) {
  std::atomic<bool> begun = false;
  {
    auto p = from<int>()
                 .stage("s",
                        [&](int x, TaskContext& context) {
                          begun = true;
                          context.sleep_for(60s);
                          return x;
                        })
                 .build();
    p.start();
    p.feed_all(numbers(5));
    ASSERT_TRUE(soon([&] { return begun.load(); }));
  }
  SUCCEED() << "it did not wait for a minute";
}

}  // namespace
}  // namespace espalier::pipeline
