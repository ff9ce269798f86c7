#include "espalier/pipeline/build/builder.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const auto same = [](int x) { return x; };

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> all;
  for (const auto& node : plan.nodes)
    all.push_back(node.name);
  return all;
}

TEST(Builder, MakesALineOfStages) {
  const auto p = from<int>().stage("a", same).stage("b", same).build({.name = "line"});
  EXPECT_EQ(p.name(), "line");
  EXPECT_THAT(names(p.plan()), ElementsAre("a", "b"));
  EXPECT_THAT(p.plan().nodes[0].next, ElementsAre(1));
  EXPECT_THAT(p.plan().nodes[1].next, ElementsAre(output_node));
}

TEST(Builder, ABeginningCanBeUsedTwice) {
  const auto head = from<int>().stage("a", same);
  EXPECT_THAT(names(head.stage("b", same).build().plan()), ElementsAre("a", "b"));
  EXPECT_THAT(names(head.stage("c", same).build().plan()), ElementsAre("a", "c"));
}

TEST(Builder, HandsAllOptionsToThePlan) {
  BreakerOptions breaker;
  breaker.threshold = 0.25;
  const auto p = from<std::string>()
                     .stage("s", &std::string::size,
                            {.workers = 3,
                             .capacity = 7,
                             .key = &std::string::size,
                             .retry = exponential(4, 10ms, 1s),
                             .timeout = 2s,
                             .rate = {5, 2},
                             .breaker = breaker,
                             .adaptive = AdaptiveOptions{1, 4, 50ms},
                             .aging = 1s,
                             .batch_limit = 9})
                     .build();
  const auto& node = p.plan().nodes[0];
  EXPECT_EQ(node.options.workers, 3U);
  EXPECT_EQ(node.options.capacity, 7U);
  EXPECT_EQ(node.options.order, Order::by_key);
  EXPECT_EQ(node.options.retry.attempts, 4U);
  EXPECT_EQ(node.options.retry.backoff.initial, 10ms);
  EXPECT_EQ(node.options.retry.backoff.max, 1s);
  EXPECT_EQ(node.options.timeout, 2s);
  EXPECT_EQ(node.options.rate, (RateLimit{5, 2}));
  EXPECT_EQ(node.options.breaker->threshold, 0.25);
  EXPECT_EQ(node.options.adaptive->max, 4U);
  EXPECT_EQ(node.options.aging, 1s);
  EXPECT_EQ(node.options.batch_limit, 9U);
  EXPECT_EQ(node.key(Value::of<std::string>("ab")), node.key(Value::of<std::string>("cd")));
  EXPECT_TRUE(node.input == typeid(std::string));
  EXPECT_THAT(node.input_name, HasSubstr("string"));
}

TEST(Builder, TheBranchesOfASplitAreJoined) {
  const auto p = from<int>()
                     .split(
                         "route", [](int x) { return x; }, from<int>().stage("a", same),
                         from<int>(), from<int>().stage("b", same).stage("c", same))
                     .stage("end", same)
                     .build();
  EXPECT_THAT(names(p.plan()), ElementsAre("route", "a", "b", "c", "end"));
  EXPECT_THAT(p.plan().nodes[0].next, ElementsAre(1, 4, 2));
  EXPECT_THAT(p.plan().nodes[1].next, ElementsAre(4));
  EXPECT_THAT(p.plan().nodes[2].next, ElementsAre(3));
  EXPECT_THAT(p.plan().nodes[3].next, ElementsAre(4));
}

TEST(Builder, ABranchMayEndInASink) {
  const auto p = from<int>()
                     .split(
                         "route", [](int x) { return x; }, from<int>().stage("a", same),
                         from<int>().sink("drop", [](int) {}))
                     .stage("end", same)
                     .build();
  EXPECT_THAT(p.plan().nodes[2].next, ElementsAre(output_node));
  EXPECT_THAT(p.plan().nodes[1].next, ElementsAre(3));
}

TEST(Builder, ABroadcastGoesToAllBranches) {
  const auto p = from<int>()
                     .broadcast("copy", from<int>().stage("a", same), from<int>().stage("b", same))
                     .build();
  EXPECT_THAT(p.plan().nodes[0].next, ElementsAre(1, 2));
  EXPECT_FALSE(p.plan().nodes[0].one_to_one);
  EXPECT_THAT(p.plan().nodes[2].next, ElementsAre(output_node));
}

TEST(Builder, NestedStagesCarryTheName) {
  const auto inner = from<int>().stage("a", same).stage("b", same);
  const auto p = from<int>().stage("x", same).nested("in", inner).stage("y", same).build();
  EXPECT_THAT(names(p.plan()), ElementsAre("x", "in/a", "in/b", "y"));
  EXPECT_THAT(p.plan().nodes[0].next, ElementsAre(1));
  EXPECT_THAT(p.plan().nodes[2].next, ElementsAre(3));
}

TEST(Builder, APipelineMayBeginWithASplitOrANestedOne) {
  const auto p = from<int>().nested("in", from<int>().stage("a", same)).build();
  EXPECT_THAT(names(p.plan()), ElementsAre("in/a"));
}

TEST(Builder, BatchesAndWindowsSaySoInThePlan) {
  const auto p =
      from<std::string>()
          .batch("b", {.count = 8, .time = 1s, .bytes = 100, .size_of = &std::string::size})
          .window("w", {.size = 3, .step = 1})
          .build();
  const auto& batch = p.plan().nodes[0];
  EXPECT_EQ(batch.kind, NodeKind::batch);
  EXPECT_EQ(batch.batch.count, 8U);
  EXPECT_EQ(batch.batch.time, 1s);
  EXPECT_EQ(batch.size_of(Value::of<std::string>("four")), 4U);
  EXPECT_GE(batch.options.capacity, 8U) << "or it would never be full";
  EXPECT_EQ(p.plan().nodes[1].kind, NodeKind::window);
  EXPECT_FALSE(batch.one_to_one);
}

TEST(Builder, AThrottleIsARate) {
  const auto p = from<int>().throttle("slow", 100, 5).build();
  EXPECT_EQ(p.plan().nodes[0].options.rate, (RateLimit{100, 5}));
}

TEST(Builder, AllProblemsComeAtOnce) {
  const auto built = from<int>()
                         .stage("same", same, {.workers = 0})
                         .stage("same", same, {.retry = {.attempts = 0}})
                         .try_build();
  ASSERT_FALSE(built.has_value());
  EXPECT_GE(built.error().size(), 3U);
}

TEST(Builder, BuildThrowsWhatTryBuildReturns) {
  try {
    (void)from<int>().stage("s", same, {.workers = 0}).build({.name = "shop"});
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("pipeline 'shop'"));
    EXPECT_THAT(error.what(), HasSubstr("stage 's'"));
  }
}

TEST(Builder, APipelineNeedsAStage) {
  EXPECT_THROW((void)from<int>().build(), std::invalid_argument);
  EXPECT_THROW((void)from<int>().nested("in", from<int>()).build(), std::invalid_argument);
}

TEST(Builder, ATaskThatTakesAwayWhatCannotBeCopiedHasOneAttempt) {
  using Owned = std::unique_ptr<int>;
  const auto take = [](Owned p) { return *p; };
  const auto look = [](const Owned& p) { return *p; };
  EXPECT_TRUE(from<Owned>().stage("s", take).try_build().has_value());
  EXPECT_TRUE(from<Owned>().stage("s", look, {.retry = fixed(2, 1ms)}).try_build().has_value());
  const auto built = from<Owned>().stage("s", take, {.retry = fixed(2, 1ms)}).try_build();
  ASSERT_FALSE(built.has_value());
  EXPECT_THAT(built.error(), Contains(Field(&PlanError::message, HasSubstr("cannot be copied"))));
}

TEST(Builder, HasAPicture) {
  const auto p = from<int>().stage("first", same).stage("second", same).build();
  EXPECT_THAT(p.dot(), HasSubstr("digraph"));
  EXPECT_THAT(p.dot(), HasSubstr("first"));
}

TEST(Result, IsSmall) {
  static_assert(sizeof(Result<int>) <= 64);
  static_assert(sizeof(Result<std::string>) <= 64);
}

TEST(Result, OfAValue) {
  Item item;
  item.value = Value::of<std::string>("x");
  item.seq = 3;
  const Result<std::string> result(std::move(item));
  EXPECT_TRUE(static_cast<bool>(result));
  EXPECT_EQ(*result, "x");
  EXPECT_EQ(result->size(), 1U);
  EXPECT_EQ(result.id(), "3");
  EXPECT_EQ(result.outcome(), Outcome::succeeded);
  EXPECT_EQ(result.failure(), nullptr);
  EXPECT_THROW(result.rethrow(), std::logic_error);
}

TEST(Result, OfAFailure) {
  Item item;
  item.value = Value::of<int>(7);
  item.verdict = Verdict::fail;
  item.failure = std::make_unique<Failure>();
  item.failure->message = "no disk";
  item.failure->stage = "store";
  const Result<std::string> result(std::move(item));
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_EQ(result.outcome(), Outcome::failed);
  ASSERT_NE(result.input<int>(), nullptr);
  EXPECT_EQ(*result.input<int>(), 7);
  EXPECT_EQ(result.input<double>(), nullptr);
  try {
    (void)result.value();
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "stage 'store': no disk");
  }
}

TEST(Result, ThrowsTheOriginalError) {
  Item item;
  item.verdict = Verdict::fail;
  item.failure = std::make_unique<Failure>();
  item.failure->error = std::make_exception_ptr(std::out_of_range("far"));
  const Result<int> result(std::move(item));
  EXPECT_THROW((void)result.value(), std::out_of_range);
  EXPECT_THROW(result.rethrow(), std::out_of_range);
}

TEST(Result, OfWhatWasLeftOutOrCancelled) {
  Item skipped;
  skipped.verdict = Verdict::skip;
  EXPECT_EQ(Result<int>(std::move(skipped)).outcome(), Outcome::skipped);
  Item cancelled;
  cancelled.verdict = Verdict::fail;
  cancelled.failure = std::make_unique<Failure>();
  cancelled.failure->kind = Failure::Kind::cancelled;
  EXPECT_EQ(Result<int>(std::move(cancelled)).outcome(), Outcome::cancelled);
  Item eaten;
  eaten.value = Value::of<Nothing>();
  const Result<int> result(std::move(eaten));
  EXPECT_EQ(result.outcome(), Outcome::succeeded);
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_THROW((void)result.value(), std::logic_error);
}

TEST(InputOrder, SortsByItemAndPart) {
  const auto chunk_of = [](std::vector<std::pair<ItemSeq, std::uint32_t>> places) {
    Chunk chunk;
    for (const auto& [seq, part] : places) {
      Item item;
      item.value = Value::of<int>(static_cast<int>(10 * seq + part));
      item.seq = seq;
      item.part = part;
      chunk.items.push_back(std::move(item));
    }
    return chunk;
  };
  const auto values = [](std::vector<Result<int>> results) {
    std::vector<int> all;
    for (auto& result : results)
      all.push_back(*result);
    return all;
  };
  detail::InputOrder<int> dense;
  auto one = chunk_of({{2, 0}, {0, 0}, {1, 0}});
  dense.add(one);
  EXPECT_THAT(values(std::move(dense).in_order()), ElementsAre(0, 10, 20));
  detail::InputOrder<int> parts;
  auto two = chunk_of({{1, 0}, {0, 1}, {0, 0}});
  parts.add(two);
  EXPECT_THAT(values(std::move(parts).in_order()), ElementsAre(0, 1, 10));
  detail::InputOrder<int> gaps;
  auto three = chunk_of({{9, 0}, {4, 0}});
  gaps.add(three);
  EXPECT_THAT(values(std::move(gaps).in_order()), ElementsAre(40, 90));
}

}  // namespace
}  // namespace espalier::pipeline
