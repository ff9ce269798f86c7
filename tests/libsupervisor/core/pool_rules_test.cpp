// What a pool makes of an exit: limits, budgets, back-off, severity.
#include "libsupervisor/core/support/pool_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing_support::plain_pool;
using testing_support::PoolDriver;

TEST(Pool, CountsBackOffPerInstanceAndForgivesAStableRun) {
  auto spec = plain_pool(2);
  spec.child.policy.backoff = {1s, 8s, Jitter::none, 30s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  EXPECT_EQ(pool.view("1").due, pool.now() + 1s);
  pool.advance(1s);
  pool.settle();
  pool.crash(0);
  EXPECT_EQ(pool.view("1").due, pool.now() + 2s);
  pool.crash(1);
  EXPECT_EQ(pool.view("2").due, pool.now() + 1s);
  pool.advance(2s);
  pool.settle();
  pool.advance(30s);
  pool.crash(0);
  EXPECT_EQ(pool.view("1").due, pool.now() + 1s);
  EXPECT_EQ(pool.bodies<events::FuseReset>().size(), 1u);
}

TEST(Pool, AnInstancePastItsLimitIsQuarantinedStoppedOrEscalates) {
  for (const auto what : {OnExhausted::quarantine, OnExhausted::stop, OnExhausted::escalate}) {
    auto spec = plain_pool(2);
    spec.child.policy.restart_limit = RestartLimit{2, 60s};
    spec.child.policy.on_exhausted = what;
    PoolDriver pool{spec};
    pool.start();
    pool.settle();
    for (int n = 0; n < 3; ++n) {
      pool.crash(0);
      pool.settle();
    }
    EXPECT_EQ(pool.bodies<events::FuseTripped>().size(), 1u);
    if (what == OnExhausted::escalate) {
      ASSERT_TRUE(pool.finished());
      EXPECT_EQ(pool.finished()->result, effect::Result::failed);
    } else {
      const auto expected =
          what == OnExhausted::stop ? ChildPhase::stopped : ChildPhase::quarantined;
      EXPECT_EQ(pool.view("1").phase, expected);
      EXPECT_EQ(pool.view("2").phase, ChildPhase::running);
      EXPECT_EQ(pool.engine().instances(), 2u) << "it is kept for an operator to look at";
    }
    EXPECT_THAT(pool.broken(), IsEmpty());
  }
}

// OTP 58 and 61: the limit is that of the pool, whoever fails; past it all instances end.
TEST(Pool, PastItsOwnLimitEndsAllAndFails) {
  auto spec = plain_pool(3);
  spec.restart_limit = RestartLimit{2, 60s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  for (ChildIndex i = 0; i < 3; ++i) {
    pool.crash(i);
    if (i < 2) pool.settle();
  }
  EXPECT_FALSE(pool.finished()) << "two more are stopping";
  EXPECT_EQ(pool.bodies<events::Escalated>().size(), 1u);
  pool.settle();
  ASSERT_TRUE(pool.finished());
  EXPECT_EQ(pool.finished()->result, effect::Result::failed);
  EXPECT_EQ(pool.finished()->exit.kind, ExitKind::failed);
  EXPECT_THAT(pool.finished()->exit.message, HasSubstr("limit of 2 restarts"));
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, ALimitThatIsReachedSlowlyNeverTrips) {
  auto spec = plain_pool(1);
  spec.restart_limit = RestartLimit{1, 1s};
  PoolDriver pool{spec};
  pool.start();
  for (int n = 0; n < 5; ++n) {
    pool.settle();
    pool.advance(2100ms);
    pool.crash(0);
  }
  EXPECT_FALSE(pool.finished());
  EXPECT_EQ(pool.view("1").restarts_total, 5u);
}

TEST(Pool, OptionalInstancesNeverEscalateAndCriticalOnesAlways) {
  auto spec = plain_pool(1);
  spec.restart_limit = RestartLimit{0, 60s};
  spec.child.policy.severity = SeverityClass::optional;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::quarantined);

  spec.restart_limit.reset();
  spec.child.policy.severity = SeverityClass::critical;
  spec.child.policy.restart_limit = RestartLimit{0, 60s};
  PoolDriver other{spec};
  other.start();
  other.settle();
  other.crash(0);
  EXPECT_TRUE(other.finished());
}

TEST(Pool, FatalFailuresFollowThePolicyOfTheTemplate) {
  auto spec = plain_pool(2);
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.exit(0, PoolDriver::failure(FailureCategory::fatal_config));
  EXPECT_EQ(pool.view("1").phase, ChildPhase::stopped);
  pool.exit(1, PoolDriver::failure(FailureCategory::fatal_bug));
  EXPECT_TRUE(pool.finished());
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, QueuesRestartsWithoutATokenAndLosesNone) {
  auto spec = plain_pool(1);
  spec.child.policy.budget = RestartBudget{1, 0.5};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  pool.settle();
  pool.crash(0);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::queued);
  EXPECT_EQ(pool.view("1").last_decision->verdict, Verdict::restart_queued);
  pool.advance(1900ms);
  EXPECT_EQ(pool.live(), 0u);
  pool.advance(100ms);
  EXPECT_EQ(pool.live(), 1u);
}

TEST(Pool, SkipsTheBackOffForTheCategoryThatNeedsNone) {
  auto spec = plain_pool(1);
  spec.child.policy.backoff = {1s, 8s, Jitter::none, 30s};
  spec.child.policy.no_backoff_for = FailureCategory::external_dependency;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.exit(0, PoolDriver::failure(FailureCategory::external_dependency));
  EXPECT_EQ(pool.live(), 1u);
}

TEST(Pool, AsksItsRulesInTheOrderOfASupervisor) {
  auto spec = plain_pool(1);
  spec.restart_limit = RestartLimit{9, 60s};
  spec.child.policy.budget = RestartBudget{5, 1};
  spec.child.policy.restart_limit = RestartLimit{9, 60s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  std::vector<Rule> asked;
  for (const auto& check : pool.view("1").last_decision->checks)
    asked.push_back(check.rule);
  EXPECT_THAT(asked, ElementsAre(Rule::restart_type, Rule::child_budget, Rule::child_limit,
                                 Rule::supervisor_limit, Rule::backoff));
}

TEST(Pool, SaysThatSeverityDecidedAndGivesTheTokenBackWhereALimitForbids) {
  auto spec = plain_pool(1);
  spec.child.policy.severity = SeverityClass::optional;
  spec.child.policy.budget = RestartBudget{1, 0.001};
  spec.restart_limit = RestartLimit{0, 60s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  EXPECT_EQ(pool.view("1").last_decision->deciding_rule, Rule::severity);
  pool.order(CommandKind::resume_child, "1");
  pool.settle();
  pool.crash(0);
  const auto& checks = pool.view("1").last_decision->checks;
  const auto budget = std::find_if(checks.begin(), checks.end(), [](const auto& check) {
    return check.rule == Rule::child_budget;
  });
  ASSERT_NE(budget, checks.end());
  EXPECT_FALSE(budget->decided) << "its token was there again";
}

}  // namespace
}  // namespace espalier::supervisor
