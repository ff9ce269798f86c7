#include "libpipeline/core/support/script_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

void become(Item& item, const std::vector<int>& numbers, Verdict verdict) {
  std::vector<Value> values;
  for (const auto n : numbers)
    values.push_back(Value::of<int>(n));
  item.value = Value::of<std::vector<Value>>(std::move(values));
  item.verdict = verdict;
}

NodePlan batch_stage(std::string name, NodeId next, const BatchOptions& options) {
  auto node = stage(std::move(name), {next});
  node.kernel = std::make_shared<BatchKernel>();
  node.kind = NodeKind::batch;
  node.batch = options;
  return node;
}

TEST(FlowGraph, ASplitSendsEachItemOneWay) {
  Plan plan;
  plan.nodes.push_back(stage(
      "split", {1, 2}, [](Item& item) { item.port = item.value.as<int>() % 2 == 0 ? 0 : 1; }));
  plan.nodes.push_back(stage("even", {output_node}, [](Item& i) { i.value.as<int>() *= 10; }));
  plan.nodes.push_back(stage("odd", {output_node}, [](Item& i) { i.value.as<int>() *= -1; }));
  FlowDriver d(std::move(plan));
  d.feed({1, 2, 3, 4});
  d.finish_all();
  EXPECT_THAT(d.values(), UnorderedElementsAre(20, 40, -1, -3));
}

TEST(FlowGraph, PartsOfAnExpansionThatFindNoRoomWaitWhereTheyWereMade) {
  Plan plan;
  plan.nodes.push_back(stage("many", {1}, [](Item& item) {
    become(item, {1, 2, 3, 4, 5, 6, 7}, Verdict::expand);
  }));
  plan.nodes[0].one_to_one = false;
  plan.nodes.push_back(stage("slow", {output_node}, {}, {.capacity = 2}));
  FlowDriver d(std::move(plan));
  d.feed({0, 0});
  const auto work = d.flow.claim(d.now);
  ASSERT_EQ(work->node, 0);
  FlowDriver::run_kernel(d.flow, *work);
  static_cast<void>(d.flow.finish(*work, d.now));
  EXPECT_EQ(d.stats(1).queued, 2u);
  EXPECT_EQ(d.flow.claim(d.now)->node, 1) << "the first takes no more while parts wait";
  EXPECT_EQ(d.flow.counts().in_flight(), 2u);
}

TEST(FlowGraph, AFedItemEndsWhenItsLastPartDoesAndAsTheWorstOfThem) {
  Plan plan;
  plan.nodes.push_back(stage("many", {1}, [](Item& item) {
    become(item, {0, 1, 2}, Verdict::expand);
  }));
  plan.nodes[0].one_to_one = false;
  plan.nodes.push_back(stage("b", {output_node}, [](Item& item) {
    if (item.value.as<int>() == 1) fail(item);
    if (item.value.as<int>() == 2) item.verdict = Verdict::skip;
  }));
  FlowDriver d(std::move(plan));
  d.feed({0});
  d.finish_all();
  EXPECT_EQ(d.outputs.size(), 3u);
  Counts expected;
  expected.accepted = expected.failed = 1;
  EXPECT_EQ(d.flow.counts(), expected);
}

TEST(FlowGraph, AnEmptyExpansionIsSkipped) {
  Plan plan;
  plan.nodes.push_back(
      stage("none", {output_node}, [](Item& i) { become(i, {}, Verdict::expand); }));
  plan.nodes[0].one_to_one = false;
  FlowDriver d(std::move(plan));
  d.feed({0});
  d.finish_all();
  EXPECT_EQ(d.flow.counts().skipped, 1u);
}

TEST(FlowGraph, ABroadcastGoesEveryWay) {
  Plan plan;
  plan.nodes.push_back(stage("all", {1, 2}, [](Item& i) { become(i, {10, 20}, Verdict::spread); }));
  plan.nodes[0].one_to_one = false;
  plan.nodes.push_back(stage("b", {output_node}, [](Item& i) { i.value.as<int>() += 1; }));
  plan.nodes.push_back(stage("c", {output_node}, [](Item& i) { i.value.as<int>() += 2; }));
  FlowDriver d(std::move(plan));
  d.feed({0});
  d.finish_all();
  EXPECT_THAT(d.values(), UnorderedElementsAre(11, 22));
  EXPECT_EQ(d.flow.counts().succeeded, 1u);
}

TEST(FlowGraph, MembersOfABatchEndAsItEnds) {
  Plan plan;
  plan.nodes.push_back(batch_stage("batch", 1, {.count = 3}));
  std::vector<std::vector<int>> seen;
  plan.nodes.push_back(stage("b", {output_node}, [&](Item& item) {
    seen.push_back(item.value.as<std::vector<int>>());
    if (seen.size() == 2) fail(item);
  }));
  FlowDriver d(std::move(plan));
  d.feed_count(7);
  d.finish_all();
  EXPECT_THAT(seen, ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4, 5)));
  EXPECT_EQ(d.flow.counts().succeeded, 3u);
  EXPECT_EQ(d.flow.counts().failed, 3u);
  EXPECT_EQ(d.flow.counts().in_flight(), 1u) << "a batch waits to be full while input is open";
  d.flow.close_input();
  d.finish_all();
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_TRUE(d.flow.idle());
  EXPECT_EQ(d.outputs.at(0).info->members.size(), 3u);
}

TEST(FlowGraph, ABatchThatFailsIsTriedAgainAsItWas) {
  int calls = 0;
  Plan plan;
  auto node = batch_stage("batch", output_node, {.count = 2});
  node.kernel = std::make_shared<ScriptKernel>([&](Item& item) {
    if (calls++ < 2) return fail(item);
    item.verdict = calls == 3 ? Verdict::pass : Verdict::absorbed;
  });
  node.options.retry.attempts = 2;
  plan.nodes.push_back(std::move(node));
  FlowDriver d(std::move(plan));
  d.feed_count(3);
  d.settle();
  EXPECT_EQ(d.stats(0).retrying, 2u);
  d.finish_all();
  EXPECT_EQ(d.outputs.size(), 1u);
  EXPECT_EQ(d.flow.counts().succeeded, 2u);
}

TEST(FlowGraph, ABatchThatWouldBeLargerThanItsStageStillGetsFull) {
  auto node = batch_stage("batch", output_node, {.count = 50});
  node.options.capacity = 3;
  Plan plan;
  plan.nodes.push_back(std::move(node));
  FlowDriver d(std::move(plan));
  EXPECT_EQ(d.feed_count(50), 50u);
  EXPECT_TRUE(d.flow.has_work(d.now));
}

TEST(FlowGraph, ABatchByBytesTooLargeForItsStageGoesWhenTheStageIsFull) {
  auto node = batch_stage("batch", output_node, {.bytes = 1000});
  node.size_of = [](const Value&) { return std::size_t{1}; };
  Plan plan;
  plan.nodes.push_back(std::move(node));
  FlowDriver d(std::move(plan));
  d.feed_count(9);
  EXPECT_FALSE(d.flow.has_work(d.now));
  d.feed_count(1);
  EXPECT_TRUE(d.flow.has_work(d.now));
}

TEST(FlowGraph, OverlappingWindowsEndEachItemOnce) {
  Plan plan;
  auto node = batch_stage("window", output_node, {});
  node.kind = NodeKind::window;
  node.window = {.size = 3, .step = 1};
  plan.nodes.push_back(std::move(node));
  FlowDriver d(std::move(plan));
  d.feed_count(5);
  d.flow.close_input();
  d.finish_all();
  EXPECT_EQ(d.outputs.size(), 3u);
  EXPECT_EQ(d.flow.counts().succeeded, 5u);
  EXPECT_TRUE(d.flow.idle());
}

TEST(FlowGraph, ItemsOfAKeyDoNotOvertakeEachOtherWhileOthersGoOn) {
  std::vector<int> seen;
  Plan plan;
  plan.nodes.push_back(stage("a", {output_node},
                             [&](Item& item) {
                               const auto value = item.value.as<int>();
                               if (value == 0 && item.attempt == 0) return fail(item);
                               item.verdict = Verdict::pass;
                               seen.push_back(value);
                             },
                             {.workers = 4, .order = Order::by_key, .retry = {.attempts = 2}}));
  plan.nodes[0].key = [](const Value& v) { return static_cast<std::uint64_t>(v.as<int>() % 2); };
  FlowDriver d(std::move(plan));
  d.feed({0, 1, 2, 3, 4});
  d.finish_all();
  EXPECT_THAT(seen, ElementsAre(1, 3, 0, 2, 4));
}

// The batch waits for items that cannot come while the ordered stage holds what it waits for.
TEST(FlowGraph, AnOrderedStageDoesNotWaitForItemsThatWentAnotherWay) {
  Plan plan;
  plan.nodes.push_back(
      stage("split", {1, 2}, [](Item& item) { item.port = item.value.as<int>() == 0 ? 0 : 1; }));
  plan.nodes.push_back(batch_stage("batch", output_node, {.count = 5}));
  plan.nodes.push_back(stage("ordered", {output_node}, {}, {.capacity = 2, .order = Order::input}));
  FlowDriver d(std::move(plan));
  d.feed({0, 1, 2, 3, 4});
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, 4u);
}

// What comes late fills all places behind it; the first one must still get through.
TEST(FlowGraph, TheItemForWhichOthersWaitGetsThroughAFullStage) {
  Plan plan;
  plan.nodes.push_back(stage("a", {1},
                             [](Item& item) {
                               if (item.value.as<int>() == 0 && item.attempt == 0)
                                 return fail(item);
                               item.verdict = Verdict::pass;
                             },
                             {.workers = 4, .retry = {.attempts = 2}}));
  plan.nodes.push_back(stage("b", {output_node}, {}, {.capacity = 2, .order = Order::input}));
  FlowDriver d(std::move(plan));
  d.feed_count(8);
  d.settle();
  EXPECT_EQ(d.stats(1).queued, 2u);
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, 8u);
}

TEST(FlowGraph, ItemsCanBeFedToAnyStage) {
  FlowDriver d(line(3));
  d.feed({1}, 2);
  d.feed({2}, 0);
  d.finish_all();
  EXPECT_EQ(d.stats(0).completed, 1u);
  EXPECT_EQ(d.stats(2).completed, 2u);
}

/// "3 failed at batch: no luck" for each that has ended, in the order of feeding.
std::vector<std::string> ends_of(FlowDriver& d) {
  std::vector<std::pair<ItemSeq, std::string>> all;
  while (auto chunk = d.flow.take_ended()) {
    for (const auto& item : chunk->items) {
      auto text = std::to_string(item.seq);
      if (item.verdict == Verdict::skip) text += " skipped";
      if (item.failure) text += " failed at " + item.failure->stage + ": " + item.failure->message;
      all.emplace_back(item.seq, text);
    }
    d.flow.recycle(std::move(chunk));
  }
  std::sort(all.begin(), all.end());
  std::vector<std::string> texts;
  for (auto& [seq, text] : all)
    texts.push_back(std::move(text));
  return texts;
}

TEST(FlowGraph, WithoutResultsEachFedItemIsToldToHaveEndedOnceItsLastPartHas) {
  Plan plan;
  plan.nodes.push_back(stage("many", {1}, [](Item& item) {
    const auto n = item.value.as<int>();
    become(item, std::vector<int>(static_cast<std::size_t>(n), n), Verdict::expand);
  }));
  plan.nodes[0].one_to_one = false;
  plan.nodes.push_back(stage("one", {output_node}, [](Item& item) {
    if (item.value.as<int>() == 3) fail(item);
  }));
  plan.options.keep_results = false;
  FlowDriver d(std::move(plan));
  d.flow.tell_ends(true);
  d.feed({0, 1, 2, 3});
  d.finish_all();
  EXPECT_TRUE(d.outputs.empty());
  EXPECT_THAT(ends_of(d), ElementsAre("0 skipped", "1", "2", "3 failed at one: no luck"));
  EXPECT_FALSE(d.flow.has_news());
}

TEST(FlowGraph, WithoutResultsTheMembersOfABatchAreToldToHaveEndedAsItDid) {
  Plan plan;
  plan.nodes.push_back(batch_stage("two", 1, {.count = 2}));
  plan.nodes.push_back(stage("sum", {output_node}, [](Item& item) {
    if (item.value.as<std::vector<int>>().front() == 3) fail(item);
  }));
  plan.options.keep_results = false;
  FlowDriver d(std::move(plan));
  d.flow.tell_ends(true);
  d.feed({1, 2, 3, 4});
  d.finish_all();
  EXPECT_THAT(ends_of(d),
              ElementsAre("0", "1", "2 failed at sum: no luck", "3 failed at sum: no luck"));
  d.feed({5});
  d.flow.tell_ends(false);
  d.flow.close_input();
  d.finish_all();
  EXPECT_THAT(ends_of(d), ::testing::IsEmpty());
}

}  // namespace
}  // namespace espalier::pipeline::testing
