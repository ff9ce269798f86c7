#include "espalier/pipeline/build/builder.hpp"
#include "espalier/pipeline/build/quick.hpp"
#include "libpipeline/build/gate.hpp"
#include "libpipeline/build/values.hpp"

#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <set>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(Run, TwoStagesComputeInOrder) {
  auto p = from<int>()
               .stage("add", [](int x) { return x + 1; })
               .stage("double", [](int x) { return 2 * x; })
               .build();
  EXPECT_THAT(values(p.run({1, 2, 3})), ElementsAre(4, 6, 8));
}

TEST(Run, ResultsHaveTheOrderOfTheInput) {
  auto p = from<int>()
               .stage("uneven",
                      [](int x) {
                        if (x % 3 == 0) std::this_thread::sleep_for(2ms);
                        return x;
                      },
                      {.workers = 3})
               .build();
  EXPECT_EQ(values(p.run(numbers(20))), numbers(20));
}

TEST(Run, FailedItemsAreAmongTheResults) {
  auto p = from<int>()
               .stage("odd", [](int x) { return x % 2 == 0 ? throw std::out_of_range("even") : x; })
               .stage("next", [](int x) { return x; })
               .build();
  auto results = p.run(numbers(6));
  ASSERT_THAT(results, SizeIs(6));
  EXPECT_EQ(results[4].failure()->message, "even");
  EXPECT_EQ(results[4].failure()->stage, "odd");
  EXPECT_EQ(*results[4].input<int>(), 4);
  EXPECT_THROW((void)results[4].value(), std::out_of_range);
  EXPECT_EQ(*results[5], 5);
  const auto counts = p.counts();
  EXPECT_EQ(counts.accepted, 6U);
  EXPECT_EQ(counts.succeeded, 3U);
  EXPECT_EQ(counts.failed, 3U);
  EXPECT_EQ(counts.in_flight(), 0U);
}

TEST(Run, OfNothingGivesNothing) {
  auto p = from<int>().stage("s", [](int x) { return x; }).build();
  EXPECT_THAT(p.run(std::vector<int>{}), IsEmpty());
}

TEST(Run, AThousandItemsWithTenWorkers) {
  auto p = from<int>().stage("s", [](int x) { return x + 1; }, {.workers = 10}).build();
  const auto results = values(p.run(numbers(1000)));
  ASSERT_THAT(results, SizeIs(1000));
  EXPECT_EQ(results.back(), 1000);
}

TEST(Run, StagesOfMixedRetriesLoseNothing) {
  std::array<std::atomic<int>, 20> first = {};
  std::array<std::atomic<int>, 20> last = {};
  const auto fail_once = [](auto& calls, int x) {
    return ++calls[static_cast<std::size_t>(x)] == 1 ? throw std::runtime_error("once") : x;
  };
  auto p = from<int>()
               .stage("extract", [&](int x) { return fail_once(first, x); },
                      {.workers = 3, .retry = fixed(2, 1ms)})
               .stage("transform", tasks([](int x) { return x + 100; }, [](int x) { return x; }))
               .stage("load", [&](int x) { return fail_once(last, x - 100); },
                      {.workers = 2, .retry = {.attempts = 2, .scope = RetryScope::per_stage}})
               .build();
  EXPECT_EQ(values(p.run(numbers(20))), numbers(20));
}

TEST(Run, PerTaskSurvivesTwoFailures) {
  std::atomic<int> calls = 0;
  auto p =
      from<int>()
          .stage("flaky", [&](int x) { return ++calls < 3 ? throw std::runtime_error("no") : x; },
                 {.retry = fixed(5, 1ms)})
          .build();
  EXPECT_THAT(values(p.run({7})), ElementsAre(7));
  EXPECT_EQ(calls, 3);
}

TEST(Run, PerStageSurvivesAFailure) {
  std::atomic<int> calls = 0;
  auto p =
      from<int>()
          .stage("flaky", [&](int x) { return ++calls < 2 ? throw std::runtime_error("no") : x; },
                 {.retry = {.attempts = 3, .scope = RetryScope::per_stage}})
          .build();
  EXPECT_THAT(values(p.run({7})), ElementsAre(7));
}

TEST(Run, ExhaustedRetriesAreCountedAlikeInBothScopes) {  // B3
  for (const auto scope : {RetryScope::per_task, RetryScope::per_stage}) {
    auto retry = fixed(3, 1ms);
    retry.scope = scope;
    std::atomic<int> told = 0;
    auto p =
        from<int>()
            .stage("dead", [](int) -> int { throw std::runtime_error("dead"); },
                   {.retry = retry, .on_failure = [&](const ItemView&, const Failure&) { ++told; }})
            .build();
    const auto results = p.run({1});
    EXPECT_EQ(results[0].failure()->attempts, 3U);
    EXPECT_EQ(p.counts().failed, 1U);
    EXPECT_EQ(p.stats()[0].failed, 1U);
    EXPECT_EQ(p.stats()[0].attempts, 3U);
    EXPECT_EQ(p.stats()[0].retries, 2U);
    EXPECT_EQ(told, 1);
  }
}

TEST(Run, ATaskThatReturnsNothingUsefulIsAResultToo) {  // B1
  for (const auto scope : {RetryScope::per_task, RetryScope::per_stage}) {
    auto retry = fixed(2, 1ms);
    retry.scope = scope;
    auto p = from<int>()
                 .stage("none", [](int) { return std::optional<int>(); }, {.retry = retry})
                 .build();
    const auto results = p.run(numbers(3));
    ASSERT_THAT(results, SizeIs(3));
    for (const auto& result : results)
      EXPECT_FALSE(result.value().has_value());
    EXPECT_EQ(p.counts().succeeded, 3U);
  }
}

TEST(Run, ManyFailingItemsDoNotBlockTheStageTheyAreRetriedIn) {  // B2
  auto p = from<int>()
               .stage("dead", [](int) -> int { throw std::runtime_error("dead"); },
                      {.workers = 2,
                       .retry = {.attempts = 3,
                                 .scope = RetryScope::per_stage,
                                 .backoff = {.initial = 0ms, .max = 0ms}}})
               .build();
  EXPECT_THAT(p.run(numbers(100)), SizeIs(100));
  EXPECT_EQ(p.counts().failed, 100U);
}

TEST(Run, BeginsFromZeroEachTime) {  // B23
  auto p = from<int>().stage("s", [](int x) { return x; }).build();
  EXPECT_THAT(values(p.run({1, 2})), ElementsAre(1, 2));
  auto second = p.run({3});
  EXPECT_EQ(second[0].seq(), 0U);
  EXPECT_THAT(values(std::move(second)), ElementsAre(3));
  EXPECT_EQ(p.counts().accepted, 1U);
}

TEST(Run, TwoAtOnceAreRefused) {
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        gate.pass();
                        return x;
                      })
               .build();
  std::thread other([&] { EXPECT_THAT(p.run({1}), SizeIs(1)); });
  ASSERT_TRUE(gate.wait_for_waiting(1));
  EXPECT_THROW((void)p.run({2}), std::logic_error);
  gate.open();
  other.join();
}

TEST(Run, WhatTheInputThrowsComesOutAndLeavesNothingBehind) {  // B11
  std::atomic<int> done = 0;
  auto p = from<int>().stage("s", [&](int x) { return ++done, x; }).build();
  struct Broken {
    int at = 0;
    int operator*() const { return at < 3 ? at : throw std::runtime_error("bad input"); }
    Broken& operator++() { return ++at, *this; }
    bool operator!=(const Broken& other) const { return at != other.at; }
    bool operator==(const Broken& other) const { return at == other.at; }
  };
  struct Range {
    [[nodiscard]] Broken begin() const { return {}; }
    [[nodiscard]] Broken end() const { return {9}; }
  };
  EXPECT_THROW((void)p.run(Range{}), std::runtime_error);
  EXPECT_EQ(p.counts().in_flight(), 0U);
  EXPECT_EQ(done, 3);
  EXPECT_THAT(values(p.run({5})), ElementsAre(5));
}

TEST(Run, ResultsCanBeLeftOut) {
  auto p = from<int>().stage("s", [](int x) { return x; }).build({.keep_results = false});
  EXPECT_THAT(p.run(numbers(3)), IsEmpty());
  EXPECT_EQ(p.counts().succeeded, 3U);
}

TEST(Run, StatisticsNameTheStages) {
  auto p = from<int>()
               .stage("first", [](int x) { return x; }, {.workers = 2})
               .stage("second", [](int x) { return x; })
               .build();
  (void)p.run(numbers(10));
  const auto stats = p.stats();
  ASSERT_THAT(stats, SizeIs(2));
  EXPECT_EQ(stats[0].name, "first");
  EXPECT_EQ(stats[0].completed, 10U);
  EXPECT_EQ(stats[0].queued, 0U);
  EXPECT_THAT(p.worker_names(), ElementsAre("first-W0", "first-W1", "second-W0"));
}

TEST(Run, AnInputMayBringItsIdPriorityAndMetadata) {
  auto p = from<int>().stage("s", [](int x) { return 2 * x; }).build();
  const std::vector<Input<int>> items = {{1, {.id = "a"}},
                                         {2, {.id = "b", .metadata = {{"k", "v"}}}}};
  const auto results = p.run(items);
  EXPECT_EQ(results[0].id(), "a");
  EXPECT_EQ(results[1].id(), "b");
  EXPECT_EQ(*results[1], 4);
  EXPECT_THAT(results[1].metadata(), ElementsAre(std::pair<std::string, std::string>("k", "v")));
  EXPECT_THAT(results[0].metadata(), IsEmpty());
}

TEST(Run, EqualIdsAreItemsOfTheirOwn) {
  auto p = from<int>().stage("s", [](int x) { return x; }).build();
  const std::vector<Input<int>> items = {{1, {.id = "a"}}, {2, {.id = "a"}}};
  EXPECT_THAT(values(p.run(items)), ElementsAre(1, 2));
}

TEST(Run, TuplesBecomeArguments) {
  auto p = from<std::tuple<int, int>>()
               .stage("sum", [](int a, int b) { return a + b; })
               .stage("pair", [](int x) { return std::pair(x, std::string("x")); })
               .stage("first", [](int x, const std::string& s) { return std::to_string(x) + s; })
               .build();
  EXPECT_THAT(values(p.run({{1, 2}, {3, 4}})), ElementsAre("3x", "7x"));
}

TEST(Run, SkippedItemsPassUnchanged) {
  std::atomic<int> calls = 0;
  auto p = from<int>()
               .stage("s", [&](int x) { return ++calls, x * 10; },
                      {.skip_if = [](int x) { return x == 1; }})
               .build();
  EXPECT_THAT(values(p.run({1, 2})), ElementsAre(1, 20));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(p.stats()[0].skipped, 1U);
}

TEST(Run, CallbacksSeeTheValueOfTheirOwnStage) {  // B20
  std::mutex mutex;
  std::map<std::string, std::string> seen;
  auto p = from<std::string>()
               .stage("a", [](const std::string& s) { return s + "A"; },
                      {.workers = 2,
                       .on_success =
                           [&](const ItemView& item, const std::string& s) {
                             const std::lock_guard lock(mutex);
                             seen[item.id()] = s;
                           }})
               .stage("b", [](const std::string& s) { return s + "B"; }, {.workers = 2})
               .build();
  (void)p.run({"x", "y"});
  EXPECT_EQ(seen["0"], "xA");
  EXPECT_EQ(seen["1"], "yA");
}

TEST(Run, FiltersWordsAndBatches) {
  auto p =
      from<std::string>()
          .filter("some", [](const std::string& s) { return !s.empty(); })
          .flat_map("letters",
                    [](const std::string& s) { return std::vector<char>(s.begin(), s.end()); })
          .batch("pairs", {.count = 2})
          .stage("join",
                 [](const std::vector<char>& all) { return std::string(all.begin(), all.end()); })
          .build();
  auto results = p.run({"ab", "", "cde"});
  std::multiset<std::string> joined;
  for (auto& result : results)
    if (result) joined.insert(*result);
  std::size_t letters = 0;
  for (const auto& text : joined)
    letters += text.size();
  EXPECT_EQ(letters, 5U);
  EXPECT_EQ(joined.size(), 3U);
  EXPECT_EQ(p.counts().accepted, 3U);
  EXPECT_EQ(p.counts().skipped, 1U);
  EXPECT_EQ(p.counts().succeeded, 2U);
}

TEST(Run, SplitsByValueAndJoinsAgain) {
  auto p = from<int>()
               .split(
                   "route", [](int x) { return x % 2; },
                   from<int>().stage("even", [](int x) { return x * 10; }),
                   from<int>().stage("odd", [](int x) { return -x; }))
               .stage("end", [](int x) { return x; })
               .build();
  EXPECT_THAT(values(p.run({1, 2, 3, 4})), ElementsAre(-1, 20, -3, 40));
}

TEST(Run, ABranchThatEndsInASinkSucceedsWithoutAValue) {
  std::atomic<int> eaten = 0;
  auto p = from<int>()
               .split(
                   "route", [](int x) { return x % 2; }, from<int>(),
                   from<int>().sink("eat", [&](int) { ++eaten; }))
               .build();
  const auto results = p.run({1, 2});
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_FALSE(results[0]);
  EXPECT_EQ(results[0].outcome(), Outcome::succeeded);
  EXPECT_EQ(*results[1], 2);
  EXPECT_EQ(eaten, 1);
  EXPECT_EQ(p.counts().succeeded, 2U);
}

TEST(Run, ABroadcastGivesSeveralResultsForOneItem) {
  auto p = from<int>()
               .broadcast("copy", from<int>().stage("a", [](int x) { return x; }),
                          from<int>().stage("b", [](int x) { return -x; }))
               .build();
  const auto results = p.run({1, 2});
  ASSERT_THAT(results, SizeIs(4));
  EXPECT_EQ(results[0].seq(), 0U);
  EXPECT_EQ(results[1].seq(), 0U);
  EXPECT_EQ(results[3].seq(), 1U);
  EXPECT_EQ(p.counts().succeeded, 2U);
}

TEST(Run, WindowsSlide) {
  auto p =
      from<int>()
          .window("w", {.size = 3, .step = 1})
          .stage("sum",
                 [](const std::vector<int>& w) { return std::accumulate(w.begin(), w.end(), 0); })
          .build();
  auto sums = values(p.run({1, 2, 3, 4}));
  ASSERT_GE(sums.size(), 2U);
  EXPECT_EQ(sums[0], 6);
  EXPECT_EQ(sums[1], 9);
}

TEST(Run, ANestedPipelineIsPartOfTheLine) {
  const auto inner = from<int>().stage("a", [](int x) { return x + 1; });
  auto p = from<int>().nested("in", inner).nested("again", inner).build();
  EXPECT_THAT(values(p.run({1})), ElementsAre(3));
  EXPECT_THAT(p.worker_names(), ElementsAre("in/a-W0", "again/a-W0"));
}

TEST(Run, ItemsOfOneKeyStayInOrder) {
  std::mutex mutex;
  std::map<int, std::vector<int>> seen;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        const std::lock_guard lock(mutex);
                        seen[x % 5].push_back(x);
                        return x;
                      },
                      {.workers = 4, .key = [](int x) { return x % 5; }})
               .build();
  (void)p.run(numbers(500));
  ASSERT_EQ(seen.size(), 5U);
  for (const auto& [key, all] : seen) {
    EXPECT_EQ(all.size(), 100U);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  }
}

TEST(Run, ATaskLimitHoldsBelowTheWorkers) {
  for (const auto scope : {RetryScope::per_task, RetryScope::per_stage}) {
    Peak peak;
    const Limit two(2);
    auto retry = fixed(2, 1ms);
    retry.scope = scope;
    auto p = from<int>()
                 .stage("s",
                        task("upload",
                             [&](int x) {
                               peak.enter();
                               std::this_thread::sleep_for(2ms);
                               peak.leave();
                               return x;
                             },
                             {.limit = two}),
                        {.workers = 10, .retry = retry})
                 .build();
    EXPECT_EQ(values(p.run(numbers(20))), numbers(20));
    EXPECT_EQ(peak.most(), 2);
  }
}

TEST(Run, AnAttemptThatTakesTooLongFails) {
  auto p = from<int>()
               .stage("slow",
                      [](int x, TaskContext& context) {
                        if (x == 0) context.sleep_for(20s);
                        return x;
                      },
                      {.timeout = 30ms})
               .build();
  const auto results = p.run({0, 1});
  EXPECT_EQ(results[0].failure()->kind, Failure::Kind::timed_out);
  EXPECT_EQ(*results[1], 1);
}

TEST(Run, ASlowStageBehindAFastOneGetsEverything) {
  auto p = from<int>()
               .stage("fast", [](int x) { return x; }, {.workers = 3})
               .stage("slow",
                      [](int x) {
                        std::this_thread::sleep_for(1ms);
                        return x;
                      },
                      {.capacity = 2})
               .build();
  EXPECT_EQ(values(p.run(numbers(10))), numbers(10));
}

TEST(Run, TheDefaultCapacityIsTenForEachWorker) {
  auto p = from<int>()
               .stage("one", [](int x) { return x; })
               .stage("five", [](int x) { return x; }, {.workers = 5})
               .stage("given", [](int x) { return x; }, {.workers = 5, .capacity = 3})
               .build();
  const auto stats = p.stats();
  EXPECT_EQ(stats[0].capacity, 10U);
  EXPECT_EQ(stats[1].capacity, 50U);
  EXPECT_EQ(stats[2].capacity, 3U);
}

TEST(Run, OneTrivialItemTakesWellUnderTenMilliseconds) {  // B27
  auto p = from<int>().stage("s", [](int x) { return x; }).build();
  auto best = Duration::max();
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    (void)p.run({1});
    best = std::min<Duration>(best, std::chrono::steady_clock::now() - begin);
  }
  EXPECT_LT(best, 5ms);
}

TEST(Quick, OneFunction) {
  EXPECT_THAT(values(quick(std::vector{1, 2, 3}, [](int x) { return 2 * x; })),
              ElementsAre(2, 4, 6));
}

TEST(Quick, SeveralFunctionsAreStages) {
  EXPECT_THAT(values(quick(std::vector{1, 2}, tasks([](int x) { return x + 1; },
                                                    [](int x) { return std::to_string(x); }))),
              ElementsAre("2", "3"));
}

TEST(Quick, Retries) {
  std::atomic<int> calls = 0;
  const auto results =
      quick(std::vector{1}, [&](int x) { return ++calls < 3 ? throw std::runtime_error("no") : x; },
            {.workers = 1, .retries = 5, .pause = 1ms});
  EXPECT_EQ(*results[0], 1);
  EXPECT_EQ(calls, 3);
}

TEST(Run, WritesNothingToStandardOutputOrError) {  // B29
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  auto p = from<int>()
               .stage("s", [](int x) { return x % 2 == 0 ? throw std::runtime_error("even") : x; },
                      {.retry = fixed(2, 1ms),
                       .on_success = [](const ItemView&, int) { throw std::logic_error("broken"); },
                       .on_failure = [](const ItemView&, const Failure&) { throw 1; }})
               .build();
  const auto results = p.run(numbers(20));
  p.start();
  p.feed(1);
  p.abort("enough");
  p.drain(20s);
  const auto out = ::testing::internal::GetCapturedStdout();
  const auto err = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(results.size(), 20U);
  EXPECT_GE(p.callback_errors(), 20U);
  EXPECT_EQ(out, "");
  EXPECT_EQ(err, "");
}

/// Counts its copies.
struct CountedTask {
  std::atomic<int>* copies;
  explicit CountedTask(std::atomic<int>& count) : copies(&count) {}
  CountedTask(const CountedTask& other) : copies(other.copies) { ++*copies; }
  CountedTask(CountedTask&&) = default;
  CountedTask& operator=(const CountedTask&) = delete;
  CountedTask& operator=(CountedTask&&) = delete;
  ~CountedTask() = default;
  int operator()(int x) const { return x + 1; }
};

TEST(Run, ATaskIsMadeOnceAndNotForEachItem) {  // B30
  std::atomic<int> copies = 0;
  auto p = from<int>()
               .stage("a", CountedTask(copies), {.workers = 4, .retry = fixed(3, 1ms)})
               .stage("b", CountedTask(copies), {.workers = 4, .timeout = 10s})
               .build();
  const int made = copies;
  EXPECT_EQ(p.run(numbers(1000)).size(), 1000U);
  EXPECT_EQ(p.run(numbers(1000)).size(), 1000U);
  EXPECT_EQ(copies, made);
}

}  // namespace
}  // namespace espalier::pipeline
