#include "espalier/pipeline/build/builder.hpp"
#include "libpipeline/build/fake_run.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The only stage of a builder, run by hand.
template <class In, class Out>
struct Stage {
  explicit Stage(const Builder<In, Out>& builder) : pipeline(builder.build()) {}
  Pipeline<In, Out> pipeline;
  FakeRun run = {};

  Kernel& kernel() { return *pipeline.plan().nodes.front().kernel; }
  bool operator()(std::vector<Item>& items) { return kernel().run(items, run); }
  bool operator()(Item& item) { return kernel().run({&item, 1}, run); }
};

TEST(Kernel, RunsAFunctionOnEveryItemOfABatch) {
  Stage stage(from<int>().stage("double", [](int x) { return 2 * x; }));
  auto items = items_of<int>({1, 2, 3});
  EXPECT_TRUE(stage(items));
  EXPECT_EQ(items[0].value.as<int>(), 2);
  EXPECT_EQ(items[2].value.as<int>(), 6);
  EXPECT_EQ(items[2].verdict, Verdict::pass);
}

TEST(Kernel, ATaskMayChangeTheType) {
  Stage stage(from<int>().stage("text", [](const int& x) { return std::to_string(x); }));
  auto item = item_of(42);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::string>(), "42");
}

TEST(Kernel, SeveralTasksHandOnToEachOther) {
  Stage stage(from<int>().stage(
      "all", tasks([](int x) { return x + 1; }, [](int x) { return std::to_string(x); },
                   [](const std::string& s) { return s + "!"; })));
  auto item = item_of(1);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::string>(), "2!");
  EXPECT_THAT(stage.kernel().tasks(), ElementsAre("task1", "task2", "task3"));
}

TEST(Kernel, TasksMayHaveNames) {
  Stage stage(from<int>().stage(
      "s", tasks(task("first", [](int x) { return x; }), [](int x) { return x; })));
  EXPECT_THAT(stage.kernel().tasks(), ElementsAre("first", "task2"));
  Stage one(from<int>().stage("lonely", [](int x) { return x; }));
  EXPECT_THAT(one.kernel().tasks(), ElementsAre("lonely"));
}

TEST(Kernel, MembersAndFunctionsOfTuplesAreTasks) {
  Stage length(from<std::string>().stage("size", &std::string::size));
  auto text = item_of<std::string>("four");
  EXPECT_TRUE(length(text));
  EXPECT_EQ(text.value.as<std::size_t>(), 4U);

  Stage add(from<std::tuple<int, int>>().stage("add", [](int a, int b) { return a + b; }));
  auto pair = item_of(std::tuple(1, 2));
  EXPECT_TRUE(add(pair));
  EXPECT_EQ(pair.value.as<int>(), 3);

  Stage whole(from<std::pair<int, int>>().stage(
      "whole", [](const std::pair<int, int>& both) { return both.first; }));
  auto both = item_of(std::pair(7, 8));
  EXPECT_TRUE(whole(both));
  EXPECT_EQ(both.value.as<int>(), 7);

  Stage told(from<std::tuple<int, int>>().stage("told", [](int a, int b, TaskContext& context) {
    return context.id() + std::to_string(a * b);
  }));
  auto third = item_of(std::tuple(3, 4), 9);
  EXPECT_TRUE(told(third));
  EXPECT_EQ(third.value.as<std::string>(), "912");
}

TEST(Kernel, ATaskSeesWhoItsItemIs) {
  std::string seen;
  Stage stage(from<int>().stage("look", [&](int x, TaskContext& context) {
    seen = context.id() + "/" + std::to_string(context.seq()) + "/" +
           context.metadata().front().second + "/" + std::to_string(context.attempt());
    context.set_status("looking");
    return x;
  }));
  auto item = item_of(1, 5);
  item.info = std::make_shared<ItemInfo>();
  item.info->id = "order-7";
  item.info->metadata = {{"shop", "north"}};
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(seen, "order-7/5/north/1");
  EXPECT_THAT(stage.run.statuses, ElementsAre("looking"));
}

TEST(Kernel, WhatATaskThrowsBecomesAFailure) {
  Stage stage(from<int>().stage("odd", tasks([](int x) { return x; }, task("check", [](int x) {
                                               if (x % 2 == 0) throw std::out_of_range("even");
                                               return x;
                                             }))));
  auto items = items_of<int>({1, 2, 3});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].verdict, Verdict::pass);
  EXPECT_EQ(items[2].verdict, Verdict::pass);
  ASSERT_EQ(items[1].verdict, Verdict::fail);
  const auto& failure = *items[1].failure;
  EXPECT_EQ(failure.message, "even");
  EXPECT_EQ(failure.type, "std::out_of_range");
  EXPECT_EQ(failure.stage, "odd");
  EXPECT_EQ(failure.task, "check");
  EXPECT_EQ(failure.attempts, 1U);
  EXPECT_THROW(std::rethrow_exception(failure.error), std::out_of_range);
  EXPECT_EQ(items[1].value.as<int>(), 2) << "the input is still there";
}

TEST(Kernel, ThingsThatAreNoExceptionsBecomeFailuresToo) {  // B10
  Stage stage(from<int>().stage("odd", [](int x) {
    if (x == 0) throw 42;
    if (x == 1) throw std::string("text");
    if (x == 2) throw "literal";
    return x;
  }));
  auto items = items_of<int>({0, 1, 2, 3});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].failure->type, "int");
  EXPECT_EQ(items[1].failure->message, "text");
  EXPECT_EQ(items[2].failure->message, "literal");
  EXPECT_EQ(items[3].verdict, Verdict::pass);
}

struct Refusal {
  std::string message = {};
};

TEST(Kernel, AnExpectedWithoutAValueIsAFailure) {
  using Maybe = espalier::expected<int, Refusal>;
  Stage stage(from<int>().stage("half", [](int x) -> Maybe {
    if (x % 2 != 0) return espalier::unexpected<Refusal>(Refusal{"odd number"});
    return x / 2;
  }));
  auto items = items_of<int>({4, 5});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].value.as<int>(), 2);
  EXPECT_EQ(items[1].verdict, Verdict::fail);
  EXPECT_EQ(items[1].failure->message, "odd number");
  EXPECT_THAT(items[1].failure->type, HasSubstr("Refusal"));
  EXPECT_EQ(items[1].failure->error, nullptr);
}

TEST(Kernel, AFailureOfAnEarlierAttemptIsForgotten) {
  int calls = 0;
  Stage stage(from<int>().stage(
      "flaky", [&](int x) { return ++calls == 1 ? throw std::runtime_error("no") : x; },
      {.retry = fixed(2, 0ms)}));
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  next_attempt(item);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.failure, nullptr);
}

TEST(Kernel, PerTaskGoesOnWithTheTaskThatFailed) {
  int first = 0;
  int second = 0;
  Stage stage(from<int>().stage("two",
                                tasks([&](int x) { return ++first, std::to_string(x); },
                                      [&](const std::string& s) {
                                        if (++second < 3) throw std::runtime_error("not yet");
                                        return s + "!";
                                      }),
                                {.retry = fixed(3, 0ms)}));
  stage.run.is_watched = true;
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.task, 1);
  EXPECT_EQ(item.value.as<std::string>(), "1");
  next_attempt(item);
  EXPECT_FALSE(stage(item));
  next_attempt(item);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::string>(), "1!");
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 3);
  EXPECT_THAT(stage.run.told,
              ElementsAre("task 0 attempt 1 start", "task 0 attempt 1 complete",
                          "task 1 attempt 1 start", "task 1 attempt 1 retry: not yet",
                          "task 1 attempt 2 start", "task 1 attempt 2 retry: not yet",
                          "task 1 attempt 3 start", "task 1 attempt 3 complete"));
}

TEST(Kernel, AttemptsAreCountedForEachTask) {
  int first = 0;
  int second = 0;
  const auto fail_once = [](int& calls, int x) {
    return ++calls == 1 ? throw std::runtime_error("no") : x;
  };
  Stage stage(from<int>().stage("two",
                                tasks([&](int x) { return fail_once(first, x); },
                                      [&](int x) { return fail_once(second, x); }),
                                {.retry = fixed(2, 0ms)}));
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  next_attempt(item);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.attempt, 0) << "the second task has had no attempt before";
  EXPECT_EQ(item.failure->attempts, 1U);
  next_attempt(item);
  EXPECT_TRUE(stage(item));
}

TEST(Kernel, PerStageBeginsAgainWithTheStagesInput) {
  int first = 0;
  int second = 0;
  Stage stage(from<int>().stage("two",
                                tasks([&](int x) { return ++first, std::to_string(x); },
                                      [&](const std::string& s) {
                                        return ++second == 1 ? throw std::runtime_error("not yet")
                                                             : s + "!";
                                      }),
                                {.retry = {.attempts = 2, .scope = RetryScope::per_stage}}));
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.task, 0);
  EXPECT_EQ(item.value.as<int>(), 1);
  next_attempt(item);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::string>(), "1!");
  EXPECT_EQ(first, 2);
}

TEST(Kernel, TellsOfThreeAttemptsOfADeadTask) {
  Stage stage(from<int>().stage("dead", [](int) -> int { throw std::runtime_error("dead"); },
                                {.retry = fixed(3, 0ms)}));
  stage.run.is_watched = true;
  auto item = item_of(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(stage(item));
    next_attempt(item);
  }
  EXPECT_THAT(stage.run.told, ElementsAre("task 0 attempt 1 start", "task 0 attempt 1 retry: dead",
                                          "task 0 attempt 2 start", "task 0 attempt 2 retry: dead",
                                          "task 0 attempt 3 start", "task 0 attempt 3 fail: dead"));
}

TEST(Kernel, TellsNothingWhenNobodyWatches) {
  Stage stage(from<int>().stage("s", [](int x) { return x; }));
  auto item = item_of(1);
  EXPECT_TRUE(stage(item));
  EXPECT_THAT(stage.run.told, IsEmpty());
}

TEST(Kernel, RetryIfDecidesAndTheEngineIsTold) {  // B31
  auto retry = fixed(5, 0ms);
  retry.retry_if = [](const Failure& failure) { return failure.type == "std::runtime_error"; };
  Stage stage(from<int>().stage("s",
                                [](int x) -> int {
                                  if (x == 0) throw std::runtime_error("worth it");
                                  throw std::logic_error("not worth it");
                                },
                                {.retry = retry}));
  const auto& ask = stage.pipeline.plan().nodes.front().options.retry.retry_if;
  auto items = items_of<int>({0, 1});
  EXPECT_FALSE(stage(items));
  EXPECT_TRUE(ask(*items[0].failure));
  EXPECT_FALSE(ask(*items[1].failure));
  Failure late;
  late.kind = Failure::Kind::timed_out;
  late.type = "std::runtime_error";
  EXPECT_TRUE(ask(late)) << "no kernel sees those, so the user is asked";
}

TEST(Kernel, ARetryIfThatThrowsSaysNo) {
  auto retry = fixed(5, 0ms);
  retry.retry_if = [](const Failure&) -> bool { throw std::runtime_error("cannot tell"); };
  Stage stage(
      from<int>().stage("s", [](int) -> int { throw std::runtime_error("x"); }, {.retry = retry}));
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_FALSE(stage.pipeline.plan().nodes.front().options.retry.retry_if(*item.failure));
}

TEST(Kernel, AValueThatCannotBeCopiedIsMovedThrough) {
  using Owned = std::unique_ptr<int>;
  Stage stage(
      from<Owned>().stage("own", tasks([](Owned p) { return std::make_unique<int>(*p + 1); },
                                       [](const Owned& p) { return *p; })));
  auto item = item_of(std::make_unique<int>(1));
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<int>(), 2);
}

TEST(Kernel, ATaskThatTakesItsArgumentAwayGetsACopyWhileItMayBeTriedAgain) {
  int calls = 0;
  Stage stage(from<std::string>().stage("take",
                                        [&](std::string&& s) {
                                          const std::string mine = std::move(s);
                                          return ++calls == 1 ? throw std::runtime_error("no")
                                                              : mine + "!";
                                        },
                                        {.retry = fixed(2, 0ms)}));
  auto item = item_of<std::string>("a text too long for the small buffer of a string");
  EXPECT_FALSE(stage(item));
  next_attempt(item);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<std::string>(), "a text too long for the small buffer of a string!");
}

TEST(Kernel, AnInputThatWasTakenAwayIsNotShownAfterAFailure) {
  Stage stage(from<std::string>().stage("take", [](std::string&& s) -> int {
    const std::string mine = std::move(s);
    throw std::runtime_error(mine);
  }));
  auto item = item_of<std::string>("x");
  EXPECT_FALSE(stage(item));
  EXPECT_FALSE(item.value.has_value());
}

TEST(Kernel, SkipIfLetsItemsThroughUntouched) {
  int calls = 0;
  std::vector<int> passed;
  Stage stage(
      from<int>().stage("s", [&](int x) { return ++calls, 10 * x; },
                        {.skip_if = [](int x) { return x == 2; },
                         .on_success = [&](const ItemView&, int x) { passed.push_back(x); }}));
  auto items = items_of<int>({1, 2, 3});
  EXPECT_TRUE(stage(items));
  EXPECT_EQ(items[1].value.as<int>(), 2);
  EXPECT_TRUE(items[1].passed_through);
  EXPECT_FALSE(items[0].passed_through);
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(passed, ElementsAre(10, 2, 30));
}

TEST(Kernel, ASkipIfThatThrowsSkipsNothingAndIsCounted) {
  Stage stage(from<int>().stage("s", [](int x) { return 10 * x; }, {.skip_if = [](int) -> bool {
                                  throw std::runtime_error("broken");
                                }}));
  auto item = item_of(1);
  EXPECT_TRUE(stage(item));
  EXPECT_EQ(item.value.as<int>(), 10);
  EXPECT_EQ(stage.pipeline.callback_errors(), 1U);
}

TEST(Kernel, OnSuccessGetsEachItemThatPassedOnce) {
  std::vector<std::string> told;
  Stage stage(from<int>().stage(
      "s", [](int x) { return x == 2 ? throw std::runtime_error("two") : std::to_string(x); },
      {.on_success = [&](const ItemView& item, const std::string& s) {
        told.push_back(item.id() + "=" + s);
      }}));
  auto items = items_of<int>({1, 2, 3});
  EXPECT_FALSE(stage(items));
  EXPECT_THAT(told, ElementsAre("0=1", "2=3"));
}

TEST(Kernel, ACallbackThatThrowsChangesNothing) {  // B6
  Stage stage(from<int>().stage(
      "s", [](int x) { return x == 2 ? throw std::runtime_error("two") : x; },
      {.on_success = [](const ItemView&, int) { throw std::runtime_error("callback"); }}));
  auto items = items_of<int>({1, 2});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].verdict, Verdict::pass);
  EXPECT_EQ(items[1].failure->message, "two");
  EXPECT_EQ(stage.pipeline.callback_errors(), 1U);
}

TEST(Kernel, TheRestOfABatchIsNotBegunOnceAStopIsRequested) {
  FakeRun* run = nullptr;
  int calls = 0;
  Stage stage(from<int>().stage("s", [&](int x) {
    ++calls;
    run->stop.request_stop();
    return x;
  }));
  run = &stage.run;
  auto items = items_of<int>({1, 2, 3});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(items[0].verdict, Verdict::pass);
  EXPECT_EQ(items[2].failure->kind, Failure::Kind::cancelled);
}

TEST(Kernel, ATaskThatComesBackTooLateHasFailed) {
  FakeRun* run = nullptr;
  int succeeded = 0;
  Stage stage(
      from<int>().stage("s",
                        [&](int x) {
                          run->stop.request_stop();
                          return x;
                        },
                        {.timeout = 1s, .on_success = [&](const ItemView&, int) { ++succeeded; }}));
  run = &stage.run;
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.failure->kind, Failure::Kind::timed_out);
  EXPECT_EQ(succeeded, 0);
}

TEST(Kernel, ATaskThatComesBackTooLateLeavesWhatTheNextAttemptNeeds) {
  FakeRun* run = nullptr;
  Stage stage(from<int>().stage("s",
                                [&](int x) {
                                  run->stop.request_stop();
                                  return std::to_string(x);
                                },
                                {.retry = fixed(2, 0ms), .timeout = 1s}));
  run = &stage.run;
  auto item = item_of(7);
  EXPECT_FALSE(stage(item));
  ASSERT_TRUE(item.value.type() == typeid(int));
  EXPECT_EQ(item.value.as<int>(), 7);
}

TEST(Kernel, AStopEndsTheWaitForALimit) {
  const Limit limit(1);
  ASSERT_TRUE(limit.try_acquire());
  Stage stage(from<int>().stage("s", task("t", [](int x) { return x; }, {.limit = limit})));
  stage.run.stop.request_stop();
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_THAT(item.failure->message, HasSubstr("limit"));
  EXPECT_EQ(limit.in_use(), 1U);
  limit.release();
}

TEST(Kernel, ALimitIsFreeAgainAfterEachAttempt) {
  const Limit limit(1);
  Stage stage(from<int>().stage(
      "s", task("t", [](int) -> int { throw std::runtime_error("no"); }, {.limit = limit}),
      {.retry = fixed(2, 0ms)}));
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(limit.in_use(), 0U);
}

TEST(Kernel, AFilterPassesOrSkips) {
  Stage stage(from<int>().filter("even", [](int x) { return x % 2 == 0; }));
  auto items = items_of<int>({1, 2});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].verdict, Verdict::skip);
  EXPECT_EQ(items[1].verdict, Verdict::pass);
  EXPECT_EQ(items[1].value.as<int>(), 2);
}

TEST(Kernel, AFlatMapGivesAValueForEachElement) {
  Stage stage(from<int>().flat_map("repeat", [](int x) {
    return std::vector<std::string>(static_cast<std::size_t>(x), std::to_string(x));
  }));
  auto items = items_of<int>({2, 0});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].verdict, Verdict::expand);
  const auto& parts = items[0].value.as<std::vector<Value>>();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].as<std::string>(), "2");
  EXPECT_TRUE(items[1].value.as<std::vector<Value>>().empty());
}

TEST(Kernel, ElementsThatAreOnlyLookedAtAreCopied) {
  static std::vector<std::string> kept = {"a text too long for the small buffer of a string"};
  Stage stage(from<int>().flat_map("view", [](int) { return std::span<std::string>(kept); }));
  auto item = item_of(1);
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(kept.front(), "a text too long for the small buffer of a string");
  EXPECT_EQ(item.value.as<std::vector<Value>>()[0].as<std::string>(), kept.front());
}

TEST(Kernel, ASinkLeavesNothing) {
  int sum = 0;
  Stage stage(from<int>().sink("sum", [&](int x) { sum += x; }));
  auto items = items_of<int>({1, 2});
  EXPECT_TRUE(stage(items));
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(items[0].value.type(), typeid(Nothing));
}

TEST(Kernel, ASinkMayFailWithAnExpected) {
  using Done = espalier::expected<void, std::string>;
  Stage stage(from<int>().sink("store", [](int x) -> Done {
    if (x == 0) return espalier::unexpected<std::string>("disk full");
    return {};
  }));
  auto items = items_of<int>({1, 0});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].verdict, Verdict::pass);
  EXPECT_EQ(items[1].failure->message, "disk full");
}

TEST(Kernel, ASplitChoosesThePort) {
  Stage stage(from<int>().split(
      "route", [](int x) { return x; }, from<int>(), from<int>()));
  auto items = items_of<int>({0, 1, 2, -1});
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].port, 0);
  EXPECT_EQ(items[1].port, 1);
  EXPECT_EQ(items[1].verdict, Verdict::pass);
  EXPECT_EQ(items[2].verdict, Verdict::fail);
  EXPECT_THAT(items[2].failure->message, HasSubstr("branch 2"));
  EXPECT_EQ(items[3].verdict, Verdict::fail);
}

TEST(Kernel, ABroadcastMakesACopyForEachPort) {
  Stage stage(from<std::string>().broadcast("copy", from<std::string>(), from<std::string>(),
                                            from<std::string>()));
  auto item = item_of<std::string>("x");
  EXPECT_FALSE(stage(item));
  EXPECT_EQ(item.verdict, Verdict::spread);
  const auto& copies = item.value.as<std::vector<Value>>();
  ASSERT_EQ(copies.size(), 3U);
  for (const auto& copy : copies)
    EXPECT_EQ(copy.as<std::string>(), "x");
}

TEST(Kernel, ABatchBecomesItsFirstItem) {
  Stage stage(from<std::unique_ptr<int>>().batch("batch", {.count = 3}));
  std::vector<Item> items;
  for (int i = 0; i < 3; ++i)
    items.push_back(item_of(std::make_unique<int>(i)));
  EXPECT_FALSE(stage(items));
  EXPECT_EQ(items[0].verdict, Verdict::pass);
  EXPECT_EQ(items[1].verdict, Verdict::absorbed);
  EXPECT_EQ(items[2].verdict, Verdict::absorbed);
  const auto& all = items[0].value.as<std::vector<std::unique_ptr<int>>>();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(*all[2], 2);
}

}  // namespace
}  // namespace espalier::pipeline
