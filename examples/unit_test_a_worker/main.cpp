#include <espalier/supervisor.hpp>
#include <espalier/testing.hpp>
#include <gmock/gmock.h>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

namespace {

// The worker under test: polls as often as its parameter says.
void poll(sv::ChildContext& self) {
  if (!self.params().contains("seconds"))
    throw sv::ChildFailure{sv::FailureCategory::fatal_config, "the parameter 'seconds' is missing"};
  const std::chrono::seconds period{std::stoi(self.params().at("seconds"))};
  self.report_ready();
  while (self.sleep_for(period))
    self.report_status("polled");
}

TEST(PollTest, PollsUntilItIsStopped) {
  espalier::testing::TestContext context;
  context.set_param("seconds", "60").stop_after(1h);
  EXPECT_EQ(context.run(poll).kind, sv::ExitKind::stopped);
  EXPECT_EQ(context.reports(espalier::testing::Report::Kind::status).size(), 59u);
}

TEST(PollTest, SaysWhichParameterIsMissing) {
  espalier::testing::TestContext context;
  EXPECT_EQ(context.run(poll).category, sv::FailureCategory::fatal_config);
}

// The tree under test: what becomes of it in a bad night?
TEST(TreeTest, GivesUpADatabaseThatFailsForAnHour) {
  sv::ChildSpec db{.name = "db", .kind = sv::ChildKind::process};
  db.policy.restart_limit = sv::RestartLimit{5, 1h};
  sv::SupervisorSpec spec;
  spec.children = {db};
  espalier::testing::VirtualTree tree{spec};
  tree.child("/db").fails_after(10s, "disk full");
  tree.advance(1h);
  EXPECT_EQ(tree.state("/db")->phase, sv::ChildPhase::quarantined);
  EXPECT_THAT(tree.why("/db"), testing::HasSubstr("disk full"));
}

}  // namespace
