#include "libpipeline/core/support/script_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;

/// "queued@0 x3": status, node ("end" for the output), how many.
std::vector<std::string> told(Flow& flow) {
  static constexpr const char* words[] = {"queued",   "in_progress", "completed", "failed",
                                          "retrying", "skipped",     "cancelled"};
  std::vector<TrackEvent> events;
  flow.take_events(events);
  std::vector<std::string> all;
  for (const auto& e : events) {
    auto text = std::string(words[static_cast<int>(e.status)]) + "@" +
                (e.node == output_node ? "end" : std::to_string(e.node));
    if (e.count > 1) text += " x" + std::to_string(e.count);
    all.push_back(text);
  }
  return all;
}

TEST(FlowWatch, TellsTheLifeOfAnItem) {
  FlowDriver d(line(2));
  d.flow.watch(true);
  d.feed({1});
  d.finish_all();
  EXPECT_THAT(told(d.flow), ElementsAre("queued@0", "in_progress@0", "completed@0", "queued@1",
                                        "in_progress@1", "completed@1", "completed@end"));
}

TEST(FlowWatch, NeighboursMakeOneEvent) {
  FlowDriver d(line(1));
  d.flow.watch(true);
  d.feed({1, 2, 3});
  EXPECT_THAT(told(d.flow), ElementsAre("queued@0 x3"));
}

TEST(FlowWatch, SaysWhyAnItemIsTriedAgainAndWhyItFailed) {
  Plan plan;
  plan.nodes.push_back(stage("a", {output_node}, [](Item& item) { fail(item, "boom"); },
                             {.retry = {.attempts = 2}}));
  FlowDriver d(std::move(plan));
  d.flow.watch(true);
  d.feed({1});
  d.finish_all();
  std::vector<TrackEvent> events;
  d.flow.take_events(events);
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[1].attempt, 1u);
  EXPECT_EQ(events[2].status, Status::retrying);
  EXPECT_EQ(events[2].attempt, 2u);
  EXPECT_EQ(events[2].error->first, "boom");
  EXPECT_EQ(events[2].error->second, "TestError");
  EXPECT_EQ(events[3].status, Status::queued);
  EXPECT_EQ(events[4].attempt, 2u);
  EXPECT_EQ(events[5].status, Status::failed);
  EXPECT_EQ(events[5].node, 0);
  EXPECT_EQ(events[5].error->first, "boom");
}

TEST(FlowWatch, AnItemThatWasLetThroughUntouchedIsSkippedThere) {
  Plan plan;
  plan.nodes.push_back(stage("a", {output_node}, [](Item& item) { item.passed_through = true; }));
  FlowDriver d(std::move(plan));
  d.flow.watch(true);
  d.feed({1});
  d.finish_all();
  EXPECT_THAT(told(d.flow), ElementsAre("queued@0", "in_progress@0", "skipped@0", "completed@end"));
  EXPECT_EQ(d.stats(0).skipped, 1u);
}

TEST(FlowWatch, IsQuietWhenNobodyWatches) {
  FlowDriver d(line(1));
  d.feed({1});
  d.finish_all();
  EXPECT_TRUE(told(d.flow).empty());
}

TEST(FlowWatch, ASnapshotSaysWhatEachWorkerDoes) {
  auto plan = line(1, {.workers = 2, .batch_limit = 1});
  FlowDriver d(std::move(plan));
  d.feed({1, 2});
  const auto work = d.flow.claim(d.now);
  d.now += seconds{2};
  const auto snapshot = d.flow.snapshot(d.now);
  ASSERT_EQ(snapshot.workers.size(), 2u);
  EXPECT_EQ(snapshot.workers[0].name, "a-W0");
  EXPECT_TRUE(snapshot.workers[0].busy);
  EXPECT_EQ(snapshot.workers[0].item, "0");
  EXPECT_FALSE(snapshot.workers[1].busy);
  EXPECT_EQ(snapshot.stages[0].queued, 1u);
  EXPECT_EQ(snapshot.stages[0].in_work, 1u);
  EXPECT_EQ(snapshot.stages[0].queue_time, seconds{2});
  d.run(work);
  EXPECT_EQ(d.stats(0).service_time, seconds{2});
}

TEST(FlowWatch, TellsTimeBlockedFromTimeWaited) {
  auto plan = line(2, {.capacity = 1});
  FlowDriver d(std::move(plan));
  d.feed({1});
  d.settle();  // Its result waits.
  d.feed({2});
  d.settle();  // It waits at the second stage.
  d.feed({3});
  EXPECT_FALSE(d.flow.has_work(d.now));
  d.now += seconds{3};
  EXPECT_EQ(d.stats(0).blocked_time, seconds{3});
  EXPECT_EQ(d.stats(0).queue_time, seconds{3});
}

TEST(FlowWatch, TimesOfWorkQueueAndPausesAreSumsOfTheirOwn) {  // B24
  StageOptions options;
  options.batch_limit = 1;
  options.retry.attempts = 2;
  options.retry.backoff.initial = options.retry.backoff.max = seconds{10};
  options.retry.backoff.jitter = Jitter::none;
  auto plan = line(1, options);
  plan.nodes[0].kernel = std::make_shared<ScriptKernel>([](Item& item) {
    if (item.value.as<int>() > 0) fail(item);
  });
  FlowDriver d(std::move(plan));
  d.feed_count(10);
  d.finish_all(seconds{1});
  const auto stats = d.stats(0);
  EXPECT_EQ(stats.completed, 1u);
  EXPECT_EQ(stats.failed, 9u);
  EXPECT_EQ(stats.attempts, 19u);
  EXPECT_EQ(stats.service_time, seconds{19}) << "a second for each attempt, failed ones too";
  EXPECT_EQ(stats.retry_time, seconds{90}) << "ten for each of nine pauses";
  EXPECT_EQ(stats.queue_time, seconds{45}) << "0 to 9 seconds for each of ten";
  EXPECT_EQ(stats.blocked_time, seconds{0});
}

}  // namespace
}  // namespace espalier::pipeline::testing
