#include "espalier/pipeline.hpp"
#include "espalier/pipeline/supervised/pipeline_child.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

namespace espalier::pipeline {
namespace {

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

const sv::CommandMeta who{"test", "because"};

sv::SupervisorSpec tree_with(sv::RestartType restart) {
  sv::ChildSpec child{.name = "flow", .kind = sv::ChildKind::pipeline, .factory = "flow"};
  child.policy.restart = restart;
  child.policy.backoff = {.initial = 1ms, .max = 1ms, .jitter = sv::Jitter::none};
  return {.children = {child}};
}

bool eventually(const std::function<bool()>& is_so) {
  for (int i = 0; i < 500; ++i) {
    if (is_so()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// A pipeline of one sink that counts.
AnyPipeline counting(std::atomic<int>& count, std::function<std::optional<int>()> source) {
  auto pipe = from<int>()
                  .sink("count", [&](const int&) { ++count; }, {.workers = 2})
                  .build({.name = "flow", .keep_results = false});
  pipe.start();
  pipe.feed_async(std::move(source));
  return pipe;
}

TEST(PipelineChild, CompletesWhenItsSourceEnds) {
  std::atomic<int> count = 0;
  std::atomic<int> starts = 0;
  sv::ChildFactories factories;
  factories.add_pipeline("flow", as_child(
                                     [&](sv::ChildContext&) {
                                       ++starts;
                                       return counting(count, [n = 0]() mutable {
                                         return n < 100 ? std::optional(n++) : std::nullopt;
                                       });
                                     },
                                     Ends::with_its_sources));
  auto handle = sv::Supervisor::start(tree_with(sv::RestartType::transient), factories);
  ASSERT_TRUE(handle) << handle.error().message;
  EXPECT_TRUE(eventually([&] { return count == 100; }));
  const auto result = handle->shutdown(who);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_EQ(starts, 1);
}

TEST(PipelineChild, StandsOnTheBoardWhileItRunsAndDrainsWhenItIsStopped) {
  std::atomic<int> count = 0;
  const auto board = std::make_shared<PipelineBoard>();
  sv::ChildFactories factories;
  factories.add_pipeline("flow", as_child(
                                     [&](sv::ChildContext&) {
                                       return counting(count, [n = 0]() mutable {
                                         std::this_thread::sleep_for(1ms);
                                         return std::optional(n++);
                                       });
                                     },
                                     Ends::with_its_sources, board));
  auto handle = sv::Supervisor::start(tree_with(sv::RestartType::permanent), factories);
  ASSERT_TRUE(handle) << handle.error().message;
  EXPECT_TRUE(eventually([&] { return count > 5; }));
  const auto rows = board->rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().path, "/flow");
  EXPECT_GT(rows.front().snapshot.counts.succeeded, 0U);
  const auto result = handle->shutdown(who);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_TRUE(board->rows().empty());
}

TEST(PipelineChild, IsStartedAgainWhenItsSourceThrows) {
  std::atomic<int> count = 0;
  std::atomic<int> starts = 0;
  sv::ChildFactories factories;
  factories.add_pipeline("flow", as_child(
                                     [&](sv::ChildContext&) {
                                       return counting(
                                           count, [n = 0, first = ++starts == 1]() mutable {
                                             if (first && n == 10)
                                               throw std::runtime_error("the queue is gone");
                                             return n < 20 ? std::optional(n++) : std::nullopt;
                                           });
                                     },
                                     Ends::with_its_sources));
  auto handle = sv::Supervisor::start(tree_with(sv::RestartType::transient), factories);
  ASSERT_TRUE(handle) << handle.error().message;
  EXPECT_TRUE(eventually([&] { return count == 30; }));
  EXPECT_EQ(starts, 2);
  EXPECT_TRUE(handle->shutdown(who));
}

TEST(PipelineChild, WithResultsThatNobodyTakesIsAFaultOfConfiguration) {
  sv::ChildFactories factories;
  factories.add_pipeline(
      "flow",
      as_child(
          [&](sv::ChildContext&) {
            return AnyPipeline(
                from<int>().stage("same", [](const int& x) { return x; }).build({.name = "flow"}));
          },
          Ends::with_its_sources));
  auto handle = sv::Supervisor::start(tree_with(sv::RestartType::transient), factories);
  ASSERT_TRUE(handle) << handle.error().message;
  EXPECT_TRUE(eventually([&] {
    const auto why = handle->why("/flow");
    return why && why->sentence.find("keeps results that nobody takes") != std::string::npos;
  }));
  EXPECT_TRUE(handle->shutdown(who));
}

}  // namespace
}  // namespace espalier::pipeline
