#include "espalier/cli/tree_text.hpp"

#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

sv::ChildSpec worker(const std::string& name, std::vector<std::string> dependencies = {}) {
  sv::ChildSpec child;
  child.name = name;
  child.kind = sv::ChildKind::blocking;
  child.factory = "builtin.idle";
  child.dependencies = std::move(dependencies);
  return child;
}

sv::SupervisorSpec garden() {
  sv::SupervisorSpec beds;
  beds.strategy = sv::Strategy::rest_for_one;
  beds.children = {worker("peas"), worker("beans")};
  sv::ChildSpec nested = worker("beds", {"well"});
  nested.kind = sv::ChildKind::supervisor;
  nested.supervisor = std::make_shared<const sv::SupervisorSpec>(beds);
  sv::SupervisorSpec root;
  root.name = "garden";
  root.children = {nested, worker("well")};
  return root;
}

sv::TreeResult stopped_with(sv::ChildShutdownOutcome outcome) {
  sv::TreeResult result;
  result.report.took = 2s;
  result.report.children.push_back({"/beds/peas", outcome, 1, 2s, {}});
  return result;
}

TEST(TreeText, StartOrderFollowsDependenciesAndEntersSupervisors) {
  EXPECT_THAT(start_paths(garden()), ElementsAre("/well", "/beds", "/beds/peas", "/beds/beans"));
}

TEST(TreeText, DescribesEachNode) {
  const std::string text = describe_tree(garden());
  EXPECT_THAT(text, HasSubstr("garden  OneForOne, at most 10 restarts in "));
  EXPECT_THAT(text, HasSubstr("RestForOne"));
  EXPECT_THAT(text, HasSubstr("after well"));
  EXPECT_THAT(text, HasSubstr("|  `- beans"));
}

TEST(TreeText, SummaryCountsOutcomesAndNamesOrphans) {
  sv::TreeResult result = stopped_with(sv::ChildShutdownOutcome::abort_failed);
  result.report.children.push_back({"/well", sv::ChildShutdownOutcome::graceful, 1, 1s, {}});
  result.report.reconcile.checks.push_back({"descendants", 3, {"pid 12 (sleep)"}, "killed"});
  const auto lines = summarize(result);
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("1 graceful"), HasSubstr("1 abort_failed"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("/beds/peas"), HasSubstr("orphan"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("pid 12 (sleep)"), HasSubstr("killed"))));
}

TEST(TreeText, SummaryNamesWhatWasEndedByForce) {
  EXPECT_THAT(summarize(stopped_with(sv::ChildShutdownOutcome::aborted)),
              Contains(AllOf(HasSubstr("/beds/peas"), HasSubstr("by force"))));
}

TEST(TreeText, ExitCodesFollowTheResult) {
  using Kind = sv::TreeResult::Kind;
  sv::TreeResult result;
  EXPECT_EQ(exit_code_of(result), exit_done);
  result.kind = Kind::start_failed;
  EXPECT_EQ(exit_code_of(result), exit_failed);
  result.kind = Kind::failed;
  EXPECT_EQ(exit_code_of(result), exit_escalated);
  EXPECT_EQ(exit_code_of(stopped_with(sv::ChildShutdownOutcome::aborted)), exit_done);
  EXPECT_EQ(exit_code_of(stopped_with(sv::ChildShutdownOutcome::abort_failed)), exit_abandoned);
}

}  // namespace
}  // namespace espalier::cli
