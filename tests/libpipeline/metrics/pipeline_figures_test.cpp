#include "espalier/pipeline/metrics/pipeline_figures.hpp"

#include "libsupervisor/metrics/scrape.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using metrics::testing::value_of;

PipelineSnapshot some_snapshot() {
  PipelineSnapshot result;
  result.counts = {
      .accepted = 20, .succeeded = 10, .failed = 3, .skipped = 2, .cancelled = 1, .rejected = 4};
  result.outputs_waiting = 6;
  StageStats stage{.name = "fetch",
                   .workers = 4,
                   .busy = 3,
                   .capacity = 64,
                   .queued = 5,
                   .retrying = 2,
                   .completed = 12,
                   .failed = 3,
                   .skipped = 2,
                   .attempts = 19,
                   .retries = 4};
  stage.queue_time = 1500ms;
  stage.service_time = 2s;
  stage.breaker = StageStats::Breaker::open;
  result.stages = {stage, {.name = "store"}};
  return result;
}

class PipelineFiguresTest : public ::testing::Test {
 protected:
  std::string value(const std::string& series) { return value_of(PipelineFigures{board_}, series); }

  std::shared_ptr<PipelineBoard> board_ = std::make_shared<PipelineBoard>();
};

TEST_F(PipelineFiguresTest, TellsWhatBecameOfItemsAndHowManyAreUnderWay) {
  const auto entry = board_->add("/etl", some_snapshot);
  const std::string items = "espalier_pipeline_items_total{path=\"/etl\",outcome=";
  EXPECT_EQ(value(items + "\"succeeded\"}"), "10");
  EXPECT_EQ(value(items + "\"failed\"}"), "3");
  EXPECT_EQ(value(items + "\"skipped\"}"), "2");
  EXPECT_EQ(value(items + "\"cancelled\"}"), "1");
  EXPECT_EQ(value(items + "\"rejected\"}"), "4");
  EXPECT_EQ(value("espalier_pipeline_items_in_flight{path=\"/etl\"}"), "4");
  EXPECT_EQ(value("espalier_pipeline_results_waiting{path=\"/etl\"}"), "6");
}

TEST_F(PipelineFiguresTest, TellsWhatEachStageDoes) {
  const auto entry = board_->add("/etl", some_snapshot);
  const std::string fetch = "{path=\"/etl\",stage=\"fetch\"";
  EXPECT_EQ(value("espalier_pipeline_stage_items_total" + fetch + ",outcome=\"completed\"}"), "10");
  EXPECT_EQ(value("espalier_pipeline_stage_items_total" + fetch + ",outcome=\"skipped\"}"), "2");
  EXPECT_EQ(value("espalier_pipeline_stage_items_total" + fetch + ",outcome=\"failed\"}"), "3");
  EXPECT_EQ(value("espalier_pipeline_stage_attempts_total" + fetch + "}"), "19");
  EXPECT_EQ(value("espalier_pipeline_stage_retries_total" + fetch + "}"), "4");
  EXPECT_EQ(value("espalier_pipeline_stage_queue_length" + fetch + "}"), "5");
  EXPECT_EQ(value("espalier_pipeline_stage_queue_capacity" + fetch + "}"), "64");
  EXPECT_EQ(value("espalier_pipeline_stage_retrying" + fetch + "}"), "2");
  EXPECT_EQ(value("espalier_pipeline_stage_workers" + fetch + "}"), "4");
  EXPECT_EQ(value("espalier_pipeline_stage_workers_busy" + fetch + "}"), "3");
  EXPECT_EQ(value("espalier_pipeline_stage_seconds_total" + fetch + ",part=\"queued\"}"), "1.5");
  EXPECT_EQ(value("espalier_pipeline_stage_seconds_total" + fetch + ",part=\"working\"}"), "2");
  EXPECT_EQ(value("espalier_pipeline_stage_breaker_open" + fetch + "}"), "1");
  EXPECT_EQ(value("espalier_pipeline_stage_breaker_open{path=\"/etl\",stage=\"store\"}"), "0");
}

TEST_F(PipelineFiguresTest, ForgetsAPipelineThatIsGone) {
  auto entry = board_->add("/etl", some_snapshot);
  entry.reset();
  EXPECT_TRUE(metrics::testing::scrape(PipelineFigures{board_}).empty());
}

TEST_F(PipelineFiguresTest, AddsUpPipelinesThatAreTooMany) {
  std::vector<std::unique_ptr<PipelineBoard::Entry>> entries;
  for (int i = 0; i < 250; ++i)
    entries.push_back(board_->add("/p" + std::to_string(1000 + i), some_snapshot));
  EXPECT_EQ(value("espalier_pipeline_items_total{path=\"/p1199\",outcome=\"succeeded\"}"), "10");
  EXPECT_EQ(value("espalier_pipeline_items_total{path=\"/p1200\",outcome=\"succeeded\"}"), "none");
  EXPECT_EQ(value("espalier_pipeline_items_total{path=\"(others)\",outcome=\"succeeded\"}"), "500");
  EXPECT_EQ(value("espalier_pipeline_items_in_flight{path=\"(others)\"}"), "200");
}

}  // namespace
}  // namespace espalier::pipeline
