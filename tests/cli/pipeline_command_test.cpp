#include "cli/call_app.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string example = std::string(ESPALIER_SOURCE_DIR) + "/examples/config/pipeline.yaml";

TEST(PipelineCommand, CheckListsTheStagesAndWhereTheyLead) {
  const auto outcome = call({"pipeline", "check", example});
  EXPECT_EQ(outcome.code, exit_done) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("  price  2 workers -> size\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  size   1 worker -> pack output\n"));
  EXPECT_THAT(outcome.out, HasSubstr("pipeline.yaml: fine, 5 stages\n"));
}

TEST(PipelineCommand, DotTemplateAndSchemaArePrinted) {
  EXPECT_THAT(call({"pipeline", "dot", example}).out, StartsWith("digraph"));
  EXPECT_THAT(call({"pipeline", "template"}).out, HasSubstr("\npipeline:\n"));
  EXPECT_THAT(call({"pipeline", "schema"}).out, HasSubstr("Espalier pipeline file"));
}

TEST(PipelineCommand, ATreeFileIsSentToTheOtherCommand) {
  const auto tree = std::string(ESPALIER_SOURCE_DIR) + "/examples/config/minimal.yaml";
  const auto outcome = call({"pipeline", "check", tree});
  EXPECT_EQ(outcome.code, exit_config_invalid);
  EXPECT_THAT(outcome.err, HasSubstr("is a tree file, no pipeline; espalier run takes it"));
}

TEST(PipelineCommand, ResumeNeedsACheckpoint) {
  const auto outcome = call({"pipeline", "run", example, "--resume"});
  EXPECT_EQ(outcome.code, exit_usage);
}

TEST(PipelineCommand, AVerbNobodyKnowsIsBadUsage) {
  EXPECT_EQ(call({"pipeline", "strat"}).code, exit_usage);
  EXPECT_EQ(call({"pipeline"}).code, exit_usage);
}

}  // namespace
}  // namespace espalier::cli
