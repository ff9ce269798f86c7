#include "espalier/supervisor/core/run_summary_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Event at(Duration when, const std::string& path, EventBody body) {
  return {.at = std::chrono::system_clock::time_point{} + 1h,
          .monotonic = TimePoint{} + when,
          .path = path,
          .body = std::move(body)};
}

events::ChildExited exit_with(ExitKind kind, const std::string& message) {
  return {ExitRecord{.kind = kind, .message = message}, 1s};
}

TEST(RunSummary, CountsWhatHappened) {
  RunSummaryBuilder builder;
  builder.add(at(1s, "/", events::TreeStarting{}));
  builder.add(at(2s, "/db", exit_with(ExitKind::failed, "no disk")));
  RestartDecision decision;
  decision.exit = {.kind = ExitKind::failed, .message = "no disk"};
  decision.verdict = Verdict::restart_now;
  builder.add(at(2s, "/db",
                 events::RestartDecided{std::make_shared<RestartDecision>(decision), {"/db"}, 1}));
  builder.add(at(3s, "/db", events::ChildRestarted{}));
  builder.add(at(4s, "/", events::CommandDone{}));
  builder.add(at(5s, "/w", exit_with(ExitKind::stopped, "")));
  builder.add(at(5s, "/v", exit_with(ExitKind::aborted, "")));
  const auto summary = builder.make("shutdown", "test", "stopped", TimePoint{} + 11s);
  EXPECT_EQ(summary.occasion, "shutdown");
  EXPECT_EQ(summary.cause, "test");
  EXPECT_EQ(summary.state, "stopped");
  EXPECT_EQ(summary.uptime, 10s);
  EXPECT_EQ(summary.started_at, std::chrono::system_clock::time_point{} + 1h);
  EXPECT_EQ(summary.failures, 1u);
  EXPECT_EQ(summary.restarts, 1u);
  EXPECT_EQ(summary.commands, 1u);
  EXPECT_THAT(summary.recent_failures, ElementsAre(StartsWith("/db: ")));
  EXPECT_THAT(summary.recent_failures.front(), HasSubstr("no disk"));
  EXPECT_THAT(summary.final_decision, StartsWith("/db: permanent"));
}

TEST(RunSummary, KeepsTheLastFailuresOnly) {
  RunSummaryBuilder builder;
  for (int i = 0; i < 100; ++i)
    builder.add(at(1s, "/c" + std::to_string(i), exit_with(ExitKind::panicked, "x")));
  const auto summary = builder.make("meltdown", "", "running", TimePoint{} + 1s);
  EXPECT_EQ(summary.failures, 100u);
  ASSERT_EQ(summary.recent_failures.size(), RunSummaryBuilder::failures_kept);
  EXPECT_THAT(summary.recent_failures.back(), StartsWith("/c99: "));
}

TEST(RunSummary, IsDueWhereARunTakesATurnForTheWorse) {
  const auto occasion = [](const std::string& path, EventBody body) {
    return RunSummaryBuilder::occasion_of(at(1s, path, std::move(body)));
  };
  EXPECT_EQ(occasion("/low", events::FuseTripped{.scope = "supervisor"}), "meltdown");
  EXPECT_EQ(occasion("/db", events::FuseTripped{.scope = "child"}), "");
  EXPECT_EQ(occasion("/low", events::Escalated{.to = "/"}), "escalation");
  const auto aborts = events::ShutdownStageReached{ShutdownStage::abort_stragglers};
  EXPECT_EQ(occasion("/", aborts), "shutdown_timeout");
  EXPECT_EQ(occasion("/low", aborts), "") << "a part of the tree is stopped, not the run";
  EXPECT_EQ(occasion("/", events::ShutdownStageReached{ShutdownStage::graceful_drain}), "");
  EXPECT_EQ(occasion("/db", events::ChildReady{}), "");
}

}  // namespace
}  // namespace espalier::supervisor
