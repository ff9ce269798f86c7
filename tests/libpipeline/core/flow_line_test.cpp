#include "libpipeline/core/support/script_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Plan adding_line() {
  Plan plan;
  plan.nodes.push_back(stage("plus", {1}, [](Item& i) { i.value.as<int>() += 1; }));
  plan.nodes.push_back(stage("times", {output_node}, [](Item& i) { i.value.as<int>() *= 2; }));
  return plan;
}

TEST(FlowLine, TakesItemsThroughAllStages) {
  FlowDriver d(adding_line());
  EXPECT_EQ(d.feed({1, 2, 3}), 3u);
  d.finish_all();
  EXPECT_THAT(d.values(), ElementsAre(4, 6, 8));
  EXPECT_EQ(d.flow.counts().succeeded, 3u);
  EXPECT_TRUE(d.flow.idle());
  EXPECT_FALSE(d.flow.has_work(d.now));
  EXPECT_FALSE(d.flow.next_deadline());
}

TEST(FlowLine, TakesNoMoreThanItsCapacity) {
  FlowDriver d(line(1));
  EXPECT_EQ(d.flow.room(0), 10u);
  EXPECT_EQ(d.feed_count(15), 10u);
  EXPECT_EQ(d.flow.room(0), 0u);
  EXPECT_EQ(d.flow.counts().accepted, 10u);
}

TEST(FlowLine, StopsWhereResultsAreNotTaken) {
  auto plan = line(2, {.capacity = 4});
  plan.options.output_capacity = 3;
  FlowDriver d(std::move(plan));
  std::size_t fed = 0;
  for (int i = 0; i < 50; ++i) {
    fed += d.feed_count(2);
    d.settle();
  }
  EXPECT_EQ(fed, 11u);  // 4 + 4 + 3.
  EXPECT_EQ(d.flow.snapshot(d.now).outputs_waiting, 3u);
}

TEST(FlowLine, RunsOnWithTheSameBatchInTheSameHands) {
  FlowDriver d(line(3));
  d.feed({7});
  auto work = d.flow.claim(d.now);
  ASSERT_TRUE(work);
  auto next = d.flow.finish(*work, d.now);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->node, 1);
  EXPECT_FALSE(d.flow.has_work(d.now));
  d.run(next);
  EXPECT_EQ(d.flow.counts().succeeded, 1u);
}

TEST(FlowLine, PrefersTheStageNearestToTheEnd) {
  FlowDriver d(line(2, {.workers = 1}));
  d.feed({1}, 1);
  d.feed({2}, 0);
  EXPECT_EQ(d.flow.claim(d.now)->node, 1);
}

TEST(FlowLine, TriesAgainAfterABackoff) {
  int calls = 0;
  Plan plan;
  StageOptions options;
  options.retry = {.attempts = 3,
                   .backoff = {.initial = seconds{1}, .max = seconds{9}, .jitter = Jitter::none}};
  plan.nodes.push_back(stage(
      "a", {output_node},
      [&](Item& item) {
        if (++calls < 3)
          fail(item);
        else
          item.verdict = Verdict::pass;
      },
      options));
  FlowDriver d(std::move(plan));
  d.feed({5});
  d.settle();
  EXPECT_EQ(d.stats(0).retrying, 1u);
  EXPECT_EQ(d.flow.next_deadline(), d.now + seconds{1});
  const auto begun = d.now;
  d.finish_all();
  EXPECT_EQ(d.now - begun, seconds{3});
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(d.values(), ElementsAre(5));
  EXPECT_EQ(d.stats(0).retries, 2u);
  EXPECT_EQ(d.stats(0).retry_time, seconds{3});
}

TEST(FlowLine, SaysWhereAndHowOftenAnItemFailed) {
  Plan plan;
  plan.nodes.push_back(stage("a", {output_node}, [](Item& item) { fail(item, "boom"); },
                             {.retry = {.attempts = 2}}));
  FlowDriver d(std::move(plan));
  d.feed({5});
  d.finish_all();
  ASSERT_EQ(d.outputs.size(), 1u);
  const auto& failure = *d.outputs[0].failure;
  EXPECT_EQ(d.outputs[0].verdict, Verdict::fail);
  EXPECT_EQ(failure.message, "boom");
  EXPECT_EQ(failure.stage, "a");
  EXPECT_EQ(failure.task, "work");
  EXPECT_EQ(failure.attempts, 2u);
  EXPECT_EQ(failure.input.as<int>(), 5);
  EXPECT_EQ(d.flow.counts().failed, 1u);
}

TEST(FlowLine, GivesResultsInInputOrderWhenAsked) {
  Plan plan;
  plan.options.output_order = Order::input;
  plan.nodes.push_back(stage("a", {output_node},
                             [](Item& item) {
                               if (item.value.as<int>() == 0 && item.attempt == 0)
                                 fail(item);
                               else
                                 item.verdict = Verdict::pass;
                             },
                             {.workers = 3, .retry = {.attempts = 2}}));
  FlowDriver d(std::move(plan));
  d.feed({0, 1, 2, 3});
  d.settle();
  d.take();
  EXPECT_THAT(d.seqs(), IsEmpty());
  d.finish_all();
  EXPECT_THAT(d.seqs(), ElementsAre(0, 1, 2, 3));
}

TEST(FlowLine, AStageInInputOrderTakesItemsAsTheyWereFed) {
  std::vector<int> seen;
  Plan plan;
  plan.nodes.push_back(stage("a", {1},
                             [](Item& item) {
                               const auto value = item.value.as<int>();
                               if (value % 3 == 0 && item.attempt == 0) return fail(item);
                               item.verdict = value == 4 ? Verdict::skip : Verdict::pass;
                             },
                             {.workers = 2, .retry = {.attempts = 2}}));
  plan.nodes.push_back(stage("b", {output_node},
                             [&](Item& item) { seen.push_back(item.value.as<int>()); },
                             {.capacity = 3, .order = Order::input}));
  FlowDriver d(std::move(plan));
  d.feed_count(9);
  d.finish_all();
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 5, 6, 7, 8));
  EXPECT_EQ(d.flow.counts().skipped, 1u);
}

// The first ones are overtaken, again and again. Each of them, when its turn in the order has come,
// stands behind others of its key, which must go before it.
TEST(FlowLine, AKeyBeforeAnOrderOverfillsItByNoMoreThanItsOwnCapacity) {
  Plan plan;
  plan.options.output_capacity = 1000;
  plan.nodes.push_back(stage("a", {1}, {}, {.capacity = 30}));
  plan.nodes.push_back(stage("key", {2}, {}, {.capacity = 5, .order = Order::by_key}));
  plan.nodes[1].key = [](const Value&) { return 7u; };
  plan.nodes.push_back(stage("order", {output_node}, {}, {.capacity = 2, .order = Order::input}));
  FlowDriver d(std::move(plan));
  d.feed_count(20);
  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    d.feed(std::vector<int>(d.flow.room(0), 0), 0, default_priority - 1);
    if (auto work = d.flow.claim(d.now)) d.run(work);
    const auto order = d.stats(2);
    most = std::max<std::size_t>(most, order.queued + order.in_work);
  }
  EXPECT_LE(most, 2u + 5u + 2u);
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, d.flow.counts().accepted);
  EXPECT_TRUE(std::is_sorted(d.outputs.begin(), d.outputs.end(),
                             [](const Item& x, const Item& y) { return x.seq < y.seq; }));
}

TEST(FlowLine, LowerPriorityGoesFirstAndEqualOnesAsTheyCame) {
  FlowDriver d(line(1));
  d.feed({10, 11}, 0, 500);
  d.feed({20}, 0, 10);
  d.feed({30}, 0, 500);
  d.finish_all();
  EXPECT_THAT(d.values(), ElementsAre(20, 10, 11, 30));
}

TEST(FlowLine, NothingOfAnItemIsLostWhenTheStageIsResized) {
  FlowDriver d(line(1, {.workers = 2}));
  d.feed_count(6);
  auto first = d.flow.claim(d.now);
  auto second = d.flow.claim(d.now);
  EXPECT_FALSE(d.flow.claim(d.now));
  EXPECT_TRUE(d.flow.resize(0, 1, d.now));
  EXPECT_FALSE(d.flow.resize(0, 0, d.now));
  d.run(first);
  EXPECT_FALSE(d.flow.claim(d.now)) << "one is still at work, and one is allowed";
  d.run(second);
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, 6u);
}

}  // namespace
}  // namespace espalier::pipeline::testing
