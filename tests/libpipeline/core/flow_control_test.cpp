#include "libpipeline/core/support/script_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FlowControl, CancelEndsWhatWaitsAndLetsFinishWhatIsInWork) {
  FlowDriver d(line(2, {.batch_limit = 1}));
  d.feed_count(4);
  const auto work = d.flow.claim(d.now);
  d.flow.cancel("the user is gone", d.now);
  EXPECT_EQ(d.flow.counts().cancelled, 3u);
  EXPECT_EQ(d.flow.counts().in_flight(), 1u);
  EXPECT_EQ(d.flow.room(0), 0u);
  d.run(work);  // It does not go on to the second stage.
  EXPECT_EQ(d.flow.counts().cancelled, 4u);
  EXPECT_TRUE(d.flow.idle());
  d.take();
  for (const auto& item : d.outputs) {
    EXPECT_EQ(item.failure->kind, Failure::Kind::cancelled);
    EXPECT_EQ(item.failure->message, "the user is gone");
    EXPECT_EQ(item.failure->stage, "a");
  }
}

TEST(FlowControl, WhatWasInTheLastStageStillSucceeds) {
  FlowDriver d(line(1));
  d.feed({1});
  const auto work = d.flow.claim(d.now);
  d.flow.cancel("", d.now);
  d.run(work);
  EXPECT_EQ(d.flow.counts().succeeded, 1u);
}

TEST(FlowControl, AbortEndsEverythingNowAndThrowsLateAnswersAway) {
  FlowDriver d(line(1, {.batch_limit = 1}));
  d.feed_count(3);
  const auto work = d.flow.claim(d.now);
  std::vector<std::uint64_t> running;
  d.flow.abort("stop", d.now, running);
  EXPECT_THAT(running, ElementsAre(work->id));
  EXPECT_TRUE(d.flow.idle());
  EXPECT_EQ(d.flow.counts().cancelled, 3u);
  d.run(work);
  EXPECT_EQ(d.flow.counts().late, 1u);
  EXPECT_EQ(d.flow.counts().cancelled, 3u);
  d.take();
  EXPECT_EQ(d.outputs.size(), 3u);
}

TEST(FlowControl, AnAnswerFromTheRunBeforeIsNotTakenForOneOfThis) {
  FlowDriver d(line(1, {.workers = 2, .batch_limit = 1}));
  d.feed({1});
  const auto old = d.flow.claim(d.now);
  std::vector<std::uint64_t> running;
  d.flow.abort("stop", d.now, running);
  d.flow.reset();
  EXPECT_EQ(d.flow.counts(), Counts{});
  EXPECT_EQ(d.feed({2}), 1u);
  EXPECT_EQ(d.flow.next_seq(), 1u);
  EXPECT_EQ(d.stats(0).busy, 1u) << "the old one still holds its worker";
  d.run(old);
  EXPECT_EQ(d.flow.counts().late, 0u);
  EXPECT_EQ(d.flow.counts().in_flight(), 1u);
  d.finish_all();
  EXPECT_THAT(d.values(), ElementsAre(2));
}

TEST(FlowControl, ResultsAndCountsOfOneRunAreNotThoseOfTheNext) {
  FlowDriver d(line(2));
  d.feed({1, 2});
  d.finish_all();
  d.flow.reset();
  d.outputs.clear();
  d.feed({3});
  d.finish_all();
  EXPECT_THAT(d.values(), ElementsAre(3));
  EXPECT_EQ(d.flow.counts().succeeded, 1u);
  EXPECT_EQ(d.stats(0).completed, 1u);
}

TEST(FlowControl, ClosedInputTakesNothingAndCountsNothing) {
  FlowDriver d(line(1));
  d.flow.close_input();
  EXPECT_EQ(d.feed({1}), 0u);
  EXPECT_EQ(d.flow.counts(), Counts{});
  EXPECT_TRUE(d.flow.input_closed());
}

TEST(FlowControl, RejectedItemsAreCountedAndGivenBack) {
  auto plan = line(1, {.capacity = 2});
  plan.options.overflow = Overflow::reject;
  FlowDriver d(std::move(plan));
  EXPECT_EQ(d.feed({1, 2, 3, 4}), 2u);
  EXPECT_EQ(d.flow.counts().rejected, 2u);
  EXPECT_EQ(d.flow.counts().accepted, 2u);
}

TEST(FlowControl, DropOldestEndsTheOneThatHasWaitedLongest) {
  auto plan = line(1, {.capacity = 2});
  plan.options.overflow = Overflow::drop_oldest;
  FlowDriver d(std::move(plan));
  EXPECT_EQ(d.feed({1, 2, 3}), 3u);
  EXPECT_EQ(d.flow.counts().cancelled, 1u);
  d.finish_all();
  EXPECT_THAT(d.values(), ElementsAre(2, 3));
  EXPECT_THAT(d.outputs[0].failure->message, ::testing::HasSubstr("drop_oldest"));
}

TEST(FlowControl, DropOldestDoesNotHoardResultsThatNobodyTakes) {
  auto plan = line(1, {.capacity = 2});
  plan.options.overflow = Overflow::drop_oldest;
  plan.options.output_capacity = 5;
  FlowDriver d(std::move(plan));
  for (int i = 0; i < 1000; ++i)
    d.feed({i});
  EXPECT_LE(d.flow.snapshot(d.now).outputs_waiting, 6u);
  EXPECT_EQ(d.flow.counts().cancelled, 998u);
}

TEST(FlowControl, FailuresThatNobodyTakesStopTheFeeding) {
  Plan plan;
  plan.nodes.push_back(stage("a", {1}, [](Item& item) { fail(item); }));
  plan.nodes.push_back(stage("b", {output_node}));
  plan.options.output_capacity = 4;
  FlowDriver d(std::move(plan));
  std::size_t fed = 0;
  for (int i = 0; i < 100; ++i) {
    fed += d.feed({i});
    d.settle();
  }
  EXPECT_LE(fed, 14u);
  EXPECT_LE(d.flow.snapshot(d.now).outputs_waiting, 5u);
}

TEST(FlowControl, WithoutResultsOutcomesAreStillCounted) {
  auto plan = line(1);
  plan.options.keep_results = false;
  FlowDriver d(std::move(plan));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(d.feed_count(10), 10u);
    d.settle();
  }
  EXPECT_FALSE(d.flow.take_outputs());
  EXPECT_EQ(d.flow.counts().succeeded, 100u);
}

TEST(FlowControl, UnboundOutputsLetEverythingComeToItsEnd) {
  auto plan = line(2, {.capacity = 4});
  plan.options.output_capacity = 1;
  FlowDriver d(std::move(plan));
  d.feed_count(4);
  d.settle();
  d.feed_count(4);
  d.settle();
  EXPECT_EQ(d.flow.snapshot(d.now).outputs_waiting, 1u);
  const auto fed = d.flow.counts().accepted;
  EXPECT_GT(fed, 1u);
  d.flow.close_input();
  d.flow.unbind_outputs();
  d.settle();
  EXPECT_TRUE(d.flow.idle());
  EXPECT_EQ(d.flow.snapshot(d.now).outputs_waiting, fed);
  d.take();
  d.flow.reset();
  d.feed_count(4);
  d.settle();
  EXPECT_EQ(d.flow.snapshot(d.now).outputs_waiting, 1u) << "bounded again";
}

TEST(FlowControl, AFailureThatIsToBeToldIsNoResultBefore) {
  auto plan = line(2, {.batch_limit = 1});
  plan.nodes[0].on_failure = [](const Item&) {};
  plan.options.output_order = Order::input;
  FlowDriver d(std::move(plan));
  d.feed_count(2);
  const auto work = d.flow.claim(d.now);
  fail(work->chunk->items.front());
  static_cast<void>(d.flow.finish(*work, d.now));
  d.settle();
  EXPECT_EQ(d.flow.counts().failed, 1u);
  EXPECT_TRUE(d.flow.has_news());
  EXPECT_FALSE(d.take()) << "the second waits for the first";
  auto untold = d.flow.take_untold();
  EXPECT_FALSE(d.flow.has_news());
  ASSERT_EQ(untold.size(), 1u);
  EXPECT_EQ(untold[0].node, 0);
  EXPECT_EQ(untold[0].item.failure->message, "no luck");
  d.flow.told(std::move(untold));
  EXPECT_TRUE(d.take());
  EXPECT_THAT(d.seqs(), ElementsAre(0, 1));
}

}  // namespace
}  // namespace espalier::pipeline::testing
