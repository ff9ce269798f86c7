#include "espalier/ipc/core/internal/answers.hpp"
#include "ipc/support/fake_target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;

pipeline::PipelineRow row(const std::string& path) {
  pipeline::PipelineRow row{.path = path};
  row.snapshot.name = "users";
  row.snapshot.counts = {.accepted = 10, .succeeded = 4, .failed = 1, .skipped = 2};
  pipeline::StageStats stage{.name = "fetch", .workers = 2, .busy = 1, .capacity = 20, .queued = 2};
  stage.attempts = 4;
  stage.service_time = 10ms;
  stage.breaker = pipeline::StageStats::Breaker::half_open;
  row.snapshot.stages = {stage};
  row.snapshot.workers = {{.name = "fetch-W0", .stage = "fetch", .busy = true, .item = "7"},
                          {.name = "fetch-W1", .stage = "fetch"}};
  return row;
}

nlohmann::json ask(const std::optional<std::string>& path) {
  testing_support::FakeTarget target;
  target.pipelines_now = {row("/a/in"), row("/b")};
  return nlohmann::json::parse(internal::pipelines_text(target, {path}))["pipelines"];
}

TEST(PipelineAnswers, TellsCountsAveragesAndWhoIsBusy) {
  const auto all = ask({});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["path"], "/a/in");
  EXPECT_EQ(all[0]["in_flight"], 3);
  const auto& stage = all[0]["stages"][0];
  EXPECT_EQ(stage["service_ms"], 2.5);
  EXPECT_EQ(stage["breaker"], "half_open");
  ASSERT_EQ(all[0]["workers"].size(), 1U);
  EXPECT_EQ(all[0]["workers"][0]["item"], "7");
}

TEST(PipelineAnswers, OfOneSubtreeAlone) {
  EXPECT_EQ(ask("/a").size(), 1U);
  EXPECT_EQ(ask("/b").size(), 1U);
  EXPECT_EQ(ask("/").size(), 2U);
  EXPECT_EQ(ask("/a/i").size(), 0U);
}

}  // namespace
}  // namespace espalier::ipc
