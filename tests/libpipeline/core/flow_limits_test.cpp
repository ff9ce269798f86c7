#include "libpipeline/core/support/script_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan one_stage(StageOptions options, ScriptKernel::Script script = {}) {
  Plan plan;
  plan.nodes.push_back(stage("a", {output_node}, std::move(script), std::move(options)));
  return plan;
}

TEST(FlowLimits, ARateSpreadsAttemptsOverTime) {
  FlowDriver d(one_stage({.rate = {.per_second = 10, .burst = 2}}));
  d.feed({0, 1, 2, 3});
  d.settle();
  EXPECT_EQ(d.flow.counts().succeeded, 2u);
  EXPECT_EQ(d.flow.next_deadline(), d.now + milliseconds{100});
  const auto begun = d.now;
  d.finish_all();
  EXPECT_EQ(d.now - begun, milliseconds{200});
  EXPECT_EQ(d.flow.counts().succeeded, 4u);
}

TEST(FlowLimits, AnAttemptThatTakesTooLongIsToldAndFails) {
  FlowDriver d(one_stage({.timeout = milliseconds{50}}));
  d.feed({1, 2});
  const auto work = d.flow.claim(d.now);
  ASSERT_EQ(work->chunk->items.size(), 1u);
  EXPECT_EQ(d.flow.next_deadline(), d.now + milliseconds{50});
  d.now += milliseconds{50};
  d.advance();
  EXPECT_THAT(d.expired, ElementsAre(work->id));
  d.now += milliseconds{1};
  d.advance();
  EXPECT_TRUE(d.expired.empty()) << "told once";
  d.run(work);  // It passed all the same.
  d.take();
  ASSERT_EQ(d.outputs.size(), 1u);
  EXPECT_EQ(d.outputs[0].failure->kind, Failure::Kind::timed_out);
  EXPECT_THAT(d.outputs[0].failure->message, HasSubstr("50 ms"));
  EXPECT_EQ(d.flow.counts().failed, 1u);
}

TEST(FlowLimits, AnAttemptThatWasStoppedIsTriedAgain) {
  int calls = 0;
  FlowDriver d(one_stage({.retry = {.attempts = 2, .backoff = {.initial = {}, .max = {}}},
                          .timeout = milliseconds{50}},
                         [&](Item& item) {
                           if (calls++ == 0) return fail(item, "stopped");
                           item.verdict = Verdict::pass;
                         }));
  d.feed({1});
  const auto work = d.flow.claim(d.now);
  d.now += milliseconds{60};
  d.run(work);
  EXPECT_EQ(d.stats(0).retrying, 1u);
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, 1u);
}

TEST(FlowLimits, AnItemThatIsNotDoneInTimeFailsWhereverItIs) {
  auto plan = one_stage({.workers = 1});
  plan.options.item_deadline = milliseconds{100};
  FlowDriver d(std::move(plan));
  d.feed({1, 2});
  const auto work = d.flow.claim(d.now);
  d.now += milliseconds{100};
  d.advance();
  EXPECT_THAT(d.expired, ElementsAre(work->id));
  EXPECT_EQ(d.flow.counts().failed, 2u);
  EXPECT_TRUE(d.flow.idle());
  EXPECT_EQ(d.stats(0).busy, 1u);
  d.take();
  EXPECT_THAT(d.seqs(), ElementsAre(0, 1));
  d.run(work);
  EXPECT_EQ(d.flow.counts().late, 1u);
  EXPECT_EQ(d.flow.counts().failed, 2u);
  EXPECT_EQ(d.stats(0).busy, 0u);
}

TEST(FlowLimits, ABreakerThatDoesNotHoldFailsItemsAtOnce) {
  bool down = true;
  FlowDriver d(one_stage({.capacity = 20,
                          .breaker = BreakerOptions{.minimum = 2, .open_for = seconds{5}},
                          .batch_limit = 1},
                         [&](Item& item) {
                           if (down) fail(item);
                         }));
  d.feed_count(10);
  d.finish_all();
  EXPECT_EQ(d.stats(0).breaker, StageStats::Breaker::open);
  EXPECT_EQ(d.outputs.size(), 10u);
  EXPECT_EQ(d.outputs.back().failure->kind, Failure::Kind::circuit_open);
  EXPECT_LT(d.stats(0).attempts, 10u);
  down = false;
  d.now += seconds{5};
  d.feed_count(3);
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, 3u);
  EXPECT_EQ(d.stats(0).breaker, StageStats::Breaker::closed);
}

TEST(FlowLimits, ABreakerThatHoldsKeepsItemsUntilItCloses) {
  int calls = 0;
  FlowDriver d(
      one_stage({.breaker = BreakerOptions{.minimum = 2, .open_for = seconds{5}, .hold = true},
                 .batch_limit = 1},
                [&](Item& item) {
                  if (calls++ < 2) return fail(item);
                }));
  d.feed_count(8);
  d.settle();
  EXPECT_EQ(d.stats(0).queued, 6u);
  EXPECT_EQ(d.flow.next_deadline(), d.now + seconds{5});
  d.finish_all();
  EXPECT_EQ(d.flow.counts().failed, 2u);
  EXPECT_EQ(d.flow.counts().succeeded, 6u);
}

TEST(FlowLimits, AnAdaptiveStageGetsMoreWorkersUnderLoadAndNoTimerWithout) {
  FlowDriver d(one_stage({.capacity = 1000, .adaptive = AdaptiveOptions{.min = 1, .max = 8}}));
  EXPECT_FALSE(d.flow.next_deadline());
  for (int i = 0; i < 40; ++i) {
    d.feed_count(100);
    std::vector<Work> works;
    while (auto work = d.flow.claim(d.now))
      works.push_back(*work);
    d.now += milliseconds{50};
    for (const auto& work : works)
      static_cast<void>(d.flow.finish(work, d.now));
    d.advance();
    d.take();
  }
  EXPECT_GT(d.stats(0).workers, 4u);
  d.finish_all();
  EXPECT_FALSE(d.flow.next_deadline()) << "nothing is there: nobody should wake up";
}

TEST(FlowLimits, GivesUpWhenTheNextAttemptWouldBeTooLate) {
  FlowDriver d(one_stage(
      {.retry = {.attempts = 100,
                 .backoff = {.initial = seconds{1}, .max = seconds{1}, .jitter = Jitter::none},
                 .give_up_after = milliseconds{3500}}},
      [](Item& item) { fail(item); }));
  d.feed({1});
  d.finish_all();
  EXPECT_EQ(d.outputs.at(0).failure->attempts, 4u);
}

TEST(FlowLimits, OnlyErrorsWorthItAreTriedAgain) {
  FlowDriver d(one_stage(
      {.retry = {.attempts = 9, .retry_if = [](const Failure& f) { return f.message != "bug"; }}},
      [](Item& item) { fail(item, "bug"); }));
  d.feed({1});
  d.finish_all();
  EXPECT_EQ(d.outputs.at(0).failure->attempts, 1u);
}

TEST(FlowLimits, AskingAgainIsNoFailure) {
  int asked = 0;
  FlowDriver d(one_stage({}, [&](Item& item) {
    if (++asked > 5) return static_cast<void>(item.verdict = Verdict::pass);
    fail(item);
    item.verdict = Verdict::again;
    item.failure->retry_after = seconds{2};
  }));
  d.feed({1});
  const auto begun = d.now;
  d.finish_all();
  EXPECT_EQ(d.flow.counts().succeeded, 1u);
  EXPECT_EQ(d.now - begun, seconds{10});
}

TEST(FlowLimits, BatchesGrowAsItemsProveCheap) {
  FlowDriver d(one_stage({.capacity = 1000}));
  auto plan = d.flow.plan();
  d.feed_count(500);
  auto work = d.flow.claim(d.now);
  EXPECT_EQ(work->chunk->items.size(), 1u);
  d.now += std::chrono::nanoseconds{500};
  static_cast<void>(d.flow.finish(*work, d.now));
  work = d.flow.claim(d.now);
  EXPECT_EQ(work->chunk->items.size(), 100u);  // 50 us of work.
}

TEST(FlowLimits, WhatCameTogetherGoesOnTogether) {
  FlowDriver d(one_stage({.capacity = 1000}));
  d.feed_count(1);
  d.settle(std::chrono::nanoseconds{500});
  d.feed_count(150);
  const auto work = d.flow.claim(d.now);
  EXPECT_EQ(work->chunk->items.size(), 150u);  // 75 us: not worth a second chunk.
}

TEST(FlowLimits, LittleRoomIsLeftUntilThereIsMore) {
  FlowDriver d(line(2, {.capacity = 80}));
  d.feed_count(1);
  d.settle(std::chrono::nanoseconds{500});
  d.take();
  d.feed_count(76, 1);
  d.feed_count(50);
  auto behind = d.flow.claim(d.now);
  ASSERT_EQ(behind->node, 1);
  EXPECT_FALSE(d.flow.claim(d.now)) << "four at a time";
  d.run(behind);
  EXPECT_EQ(d.flow.claim(d.now)->chunk->items.size(), 50u);
}

TEST(FlowLimits, LittleRoomIsUsedWhenNothingElseMoves) {
  FlowDriver d([] {
    auto plan = line(2, {.capacity = 80});
    plan.options.output_capacity = 80;
    return plan;
  }());
  d.feed_count(1);
  d.settle(std::chrono::nanoseconds{500});
  d.feed_count(75, 1);
  d.settle(std::chrono::nanoseconds{500});
  d.feed_count(50, 1);
  EXPECT_EQ(d.flow.claim(d.now)->chunk->items.size(), 4u) << "76 results wait for a reader";
}

TEST(FlowLimits, MoreHandsHelpWhereTasksAreSlow) {
  FlowDriver d(one_stage({.workers = 8}));
  d.feed_count(8);
  EXPECT_TRUE(d.flow.wants_more_hands(1, 2, d.now));
  EXPECT_FALSE(d.flow.wants_more_hands(2, 2, d.now)) << "not known to be slow";
  const auto work = d.flow.claim(d.now);
  d.now += milliseconds{1};
  EXPECT_TRUE(d.flow.wants_more_hands(2, 2, d.now)) << "the first does not come back";
  static_cast<void>(d.flow.finish(*work, d.now));
  EXPECT_TRUE(d.flow.wants_more_hands(2, 2, d.now)) << "measured";
}

TEST(FlowLimits, StagesThatShareARateAreLimitedTogether) {
  const auto begun_in_ten_seconds = [](const std::string& shared_as) {
    auto plan = line(2, {.rate = {.per_second = 1, .burst = 1, .shared_as = shared_as}});
    FlowDriver d(std::move(plan));
    d.feed_count(10);
    const auto end = d.now + seconds{10};
    for (d.settle(); d.flow.next_deadline() && *d.flow.next_deadline() < end; d.settle()) {
      d.now = *d.flow.next_deadline();
      d.advance();
      d.take();
    }
    return d.stats(0).attempts + d.stats(1).attempts;
  };
  EXPECT_EQ(begun_in_ten_seconds("api"), 10u);
  EXPECT_EQ(begun_in_ten_seconds(""), 20u);
}

}  // namespace
}  // namespace espalier::pipeline::testing
