// What a pool promises of its instances: starts, ends, restart types, limits, stops.
#include "libsupervisor/core/support/pool_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing_support::plain_pool;
using testing_support::PoolDriver;

TEST(Pool, WithNobodyIsUpAtOnceAndStopsAtOnce) {
  PoolDriver pool{plain_pool(0)};
  pool.start();
  EXPECT_TRUE(pool.up());
  pool.feed(input::Stop{"done", {}, {}});
  ASSERT_TRUE(pool.finished());
  EXPECT_EQ(pool.finished()->result, effect::Result::stopped);
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, IsUpOnceEachOfTheFirstIsReadyOrHasFailed) {
  auto spec = plain_pool(3);
  spec.child.policy.backoff = {1s, 1s, Jitter::none, 30s};
  PoolDriver pool{spec};
  pool.start();
  pool.run(0);
  pool.run(1);
  EXPECT_FALSE(pool.up());
  pool.crash(2);
  EXPECT_TRUE(pool.up());
  EXPECT_EQ(pool.view("3").phase, ChildPhase::backing_off);
  EXPECT_EQ(pool.engine().instances(), 3u);
}

TEST(Pool, StartsAtLeastItsMin) {
  auto spec = plain_pool(1);
  spec.min = 4;
  PoolDriver pool{spec};
  pool.start();
  EXPECT_EQ(pool.live(), 4u);
}

TEST(Pool, NamesByNumberAndNeverUsesANumberAgainButTheSlot) {
  PoolDriver pool{plain_pool(2)};
  pool.start();
  pool.settle();
  const auto slot = pool.slot_of("2");
  const auto old = pool.children()[slot].live;
  pool.remove("2");
  pool.settle();
  pool.add();
  EXPECT_EQ(pool.slot_of("3"), slot);
  EXPECT_GT(pool.children()[slot].live, old) << "late reports of the old one must be stale";
  pool.exit_as(slot, old, PoolDriver::failure());
  EXPECT_EQ(pool.bodies<events::StaleReport>().size(), 1u);
  EXPECT_EQ(pool.view("3").phase, ChildPhase::starting);
  EXPECT_THAT(pool.broken(), IsEmpty());
}

// OTP 39-47: permanent always; transient after failures; temporary never. Who is done is forgotten.
TEST(Pool, RestartsByTypeAndForgetsWhatIsDone) {
  struct Case {
    RestartType type;
    bool fails;
    bool comes_back;
  };
  for (const auto& c :
       {Case{RestartType::permanent, false, true}, Case{RestartType::permanent, true, true},
        Case{RestartType::transient, false, false}, Case{RestartType::transient, true, true},
        Case{RestartType::temporary, false, false}, Case{RestartType::temporary, true, false}}) {
    PoolDriver pool{plain_pool(1, c.type)};
    pool.start();
    pool.settle();
    pool.exit(0, c.fails ? PoolDriver::failure() : ExitRecord{});
    EXPECT_EQ(pool.exists("1"), c.comes_back);
    EXPECT_EQ(pool.live(), c.comes_back ? 1u : 0u);
    EXPECT_EQ(pool.engine().instances(), c.comes_back ? 1u : 0u);
    EXPECT_EQ(pool.bodies<events::ChildRemoved>().size(), c.comes_back ? 0u : 1u);
    EXPECT_THAT(pool.broken(), IsEmpty());
  }
}

TEST(Pool, ACrashTouchesNobodyElse) {
  PoolDriver pool{plain_pool(3)};
  pool.start();
  pool.settle();
  pool.crash(1);
  pool.settle();
  EXPECT_EQ(pool.view("1").generation, 1u);
  EXPECT_EQ(pool.view("2").generation, 2u);
  EXPECT_EQ(pool.view("3").generation, 1u);
  EXPECT_EQ(pool.view("2").restarts_total, 1u);
}

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

TEST(Pool, RestartsAskTheTreeToBeLetInAndFirstStartsDoNot) {
  PoolDriver pool{plain_pool(2), true};
  pool.start();
  pool.settle();
  EXPECT_THAT(pool.requests(), IsEmpty());
  pool.crash(0);
  pool.crash(1);
  ASSERT_EQ(pool.requests().size(), 2u);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::queued);
  pool.feed(input::Admitted{0, pool.requests()[1].number});
  EXPECT_EQ(pool.live(), 0u) << "the number of another";
  pool.feed(input::Admitted{0, pool.requests()[0].number});
  pool.settle();
  EXPECT_EQ(pool.view("1").phase, ChildPhase::running);
  EXPECT_EQ(pool.ended_admissions(), 1u);
  pool.remove("2");
  EXPECT_EQ(pool.ended_admissions(), 2u) << "taken back";
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, AStartThatTakesTooLongIsAbortedAndJudged) {
  auto spec = plain_pool(1);
  spec.child.policy.readiness = Readiness::explicit_report;
  spec.child.policy.start_timeout = 3s;
  spec.child.policy.backoff = {1s, 1s, Jitter::none, 30s};
  PoolDriver pool{spec};
  pool.start();
  pool.run(0);
  pool.advance(3s);
  EXPECT_TRUE(pool.children()[0].aborting);
  pool.exit(0);
  EXPECT_EQ(pool.view("1").last_exit->kind, ExitKind::timed_out);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::backing_off);
  EXPECT_EQ(pool.bodies<events::ChildStartFailed>().size(), 1u);
  EXPECT_TRUE(pool.up());
}

TEST(Pool, ARunThatTakesTooLongAndSilenceAreFailures) {
  auto spec = plain_pool(2);
  spec.child.policy.run_timeout = 10s;
  spec.child.policy.watchdog = 4s;
  spec.child.policy.on_timeout = FatalAction::leave_stopped;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  for (int n = 0; n < 4; ++n) {
    if (n < 2) pool.advance(2s);
    pool.feed(input::ChildAlive{0, pool.children()[0].live});
  }
  EXPECT_TRUE(pool.children()[1].aborting) << "silent for 4 s";
  pool.exit(1);
  pool.settle();
  EXPECT_EQ(pool.view("2").generation, 2u);
  EXPECT_EQ(pool.view("2").last_exit->kind, ExitKind::unhealthy);
  for (int n = 0; n < 3; ++n) {
    pool.advance(2s);
    pool.feed(input::ChildAlive{0, pool.children()[0].live});
    pool.feed(input::ChildAlive{1, pool.children()[1].live});
  }
  EXPECT_TRUE(pool.children()[0].aborting) << "10 s are over";
  pool.exit(0);
  EXPECT_EQ(pool.view("1").last_exit->kind, ExitKind::timed_out);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::stopped) << "on_timeout";
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, ProbesReadinessThenHealthAndActsOnBoth) {
  auto spec = plain_pool(1);
  ProbeSpec probe;
  probe.kind = ProbeSpec::Kind::tcp;
  probe.interval = 1s;
  probe.retries = 2;
  spec.child.policy.readiness = Readiness::probe;
  spec.child.policy.readiness_probe = std::make_shared<const ProbeSpec>(probe);
  spec.child.policy.health_check = std::make_shared<const ProbeSpec>(probe);
  PoolDriver pool{spec};
  pool.start();
  pool.run(0);
  const auto answer = [&](bool ok) {
    pool.advance(1s);
    const auto& asked = pool.probes().back();
    pool.feed(input::ProbeResult{asked.child, asked.purpose, asked.number, ok, "refused"});
  };
  answer(false);
  EXPECT_FALSE(pool.up());
  answer(true);
  EXPECT_TRUE(pool.up());
  const auto asked_so_far = pool.probes().size();
  pool.advance(999ms);
  EXPECT_EQ(pool.probes().size(), asked_so_far) << "the first check comes after one interval";
  answer(false);
  answer(true);
  answer(false);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::running) << "never two in a row";
  answer(false);
  EXPECT_TRUE(pool.children()[0].aborting);
  pool.exit(0);
  EXPECT_EQ(pool.view("1").last_exit->kind, ExitKind::unhealthy);
  EXPECT_EQ(pool.view("1").last_exit->message, "refused");
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, StartsOnlyOnceTheGatesAreFree) {
  auto spec = plain_pool(1);
  spec.child.gates = {{StartGate::Kind::port, "80"}};
  PoolDriver pool{spec};
  pool.start();
  EXPECT_EQ(pool.view("1").phase, ChildPhase::gated);
  ASSERT_EQ(pool.probes().size(), 1u);
  pool.feed(input::ProbeResult{0, input::ProbePurpose::gate, pool.probes()[0].number, false, "x"});
  EXPECT_EQ(pool.live(), 0u);
  pool.advance(1s);
  ASSERT_EQ(pool.probes().size(), 2u);
  pool.feed(input::ProbeResult{0, input::ProbePurpose::gate, pool.probes()[1].number, true, ""});
  EXPECT_EQ(pool.live(), 1u);
}

TEST(Pool, GrantsOnlyWhatTheTemplatePermits) {
  auto spec = plain_pool(2);
  spec.child.permissions.restart = true;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.feed(input::ChildAsks{0, pool.children()[0].live, input::Wish::shutdown, "tired"});
  EXPECT_FALSE(pool.tree_end_wanted());
  pool.feed(input::ChildAsks{0, pool.children()[0].live, input::Wish::restart, "leaky"});
  pool.settle();
  EXPECT_EQ(pool.view("1").generation, 2u);
  EXPECT_EQ(pool.view("1").restarts_total, 0u) << "asked for, so not counted";
}

// OTP 59: T, T and 5T with a grace of 2T: the stop lasts 2T, and the slow one is aborted.
TEST(Pool, StopsAllAtOnceAndTakesAsLongAsTheSlowestWithinGrace) {
  auto spec = plain_pool(3);
  spec.child.policy.stop.grace = 2s;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  const auto began = pool.now();
  pool.feed(input::Stop{"done", {}, {}});
  for (ChildIndex i = 0; i < 3; ++i)
    EXPECT_TRUE(pool.children()[i].stopping);
  pool.advance(1s);
  pool.exit(0);
  pool.exit(1);
  pool.advance(1s);
  EXPECT_TRUE(pool.children()[2].aborting);
  pool.exit(2);
  ASSERT_TRUE(pool.finished());
  EXPECT_EQ(pool.now() - began, 2s);
  std::map<std::string, ChildShutdownOutcome> told;
  for (const auto& status : pool.finished()->children)
    told[status.path] = status.outcome;
  EXPECT_EQ(told["/pool/1"], ChildShutdownOutcome::graceful);
  EXPECT_EQ(told["/pool/3"], ChildShutdownOutcome::aborted);
  EXPECT_THAT(pool.broken(), IsEmpty());
}

// OTP 20: brutal_kill aborts all at once.
TEST(Pool, KillsAtOnceWhereTheTemplateSaysSo) {
  auto spec = plain_pool(10);
  spec.child.policy.stop.kind = StopPolicy::Kind::brutal_kill;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.feed(input::Stop{"done", {}, {}});
  for (ChildIndex i = 0; i < 10; ++i) {
    EXPECT_FALSE(pool.children()[i].stopping);
    EXPECT_TRUE(pool.children()[i].aborting);
  }
  pool.settle();
  EXPECT_TRUE(pool.finished());
}

// OTP 21, 22: whatever answers a stop, and whoever ends by itself meanwhile, nothing is restarted.
TEST(Pool, ExitsOfAnyKindDuringAStopEndItAndRestartNothing) {
  for (const auto type : {RestartType::permanent, RestartType::transient, RestartType::temporary}) {
    PoolDriver pool{plain_pool(3, type)};
    pool.start();
    pool.settle();
    pool.feed(input::Stop{"done", {}, {}});
    pool.exit(0, PoolDriver::failure());
    pool.exit(1, {});
    ExitRecord signalled;
    signalled.kind = ExitKind::signalled;
    signalled.signal = 9;
    pool.exit(2, signalled);
    ASSERT_TRUE(pool.finished());
    EXPECT_EQ(pool.live(), 0u);
    EXPECT_EQ(pool.finished()->children.size(), 3u);
    EXPECT_THAT(pool.broken(), IsEmpty());
  }
}

TEST(Pool, BoundsAStopByItsTotalAndNamesWhatCouldNotBeEnded) {
  auto spec = plain_pool(2);
  spec.child.policy.stop.kind = StopPolicy::Kind::infinity;
  spec.shutdown.total_timeout = 10s;
  spec.shutdown.abort_wait = 1s;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.feed(input::Stop{"done", {}, {}});
  pool.advance(9s);
  pool.exit(0);
  pool.advance(1s);
  ASSERT_TRUE(pool.finished());
  EXPECT_EQ(pool.finished()->children.back().outcome, ChildShutdownOutcome::abort_failed);
  EXPECT_EQ(pool.live(), 1u);
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, AnAbortEndsEverythingWithoutGrace) {
  PoolDriver pool{plain_pool(2)};
  pool.start();
  pool.settle();
  pool.feed(input::Abort{500ms, {}});
  EXPECT_TRUE(pool.children()[0].aborting && pool.children()[1].aborting);
  EXPECT_FALSE(pool.children()[0].stopping);
  pool.advance(500ms);
  ASSERT_TRUE(pool.finished());
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, ASecondStopMayOnlyShortenTheFirst) {
  PoolDriver pool{plain_pool(1)};
  pool.start();
  pool.settle();
  pool.feed(input::Stop{"first", {}, {}});
  pool.feed(input::Stop{"second", Duration{2s}, {}});
  pool.advance(1s);
  EXPECT_TRUE(pool.children()[0].aborting) << "2 s less the abort wait";
}

TEST(Pool, WhatCouldNotBeEndedIsNotStartedAgainUntilItHasEnded) {
  auto spec = plain_pool(1);
  spec.child.policy.watchdog = 1s;
  spec.shutdown.abort_wait = 1s;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.advance(3s);
  EXPECT_EQ(pool.view("1").phase, ChildPhase::abandoned);
  const auto restart = pool.order(CommandKind::restart_child, "1");
  EXPECT_FALSE(pool.answered(restart));
  pool.exit(0);
  pool.settle();
  ASSERT_TRUE(pool.answered(restart));
  EXPECT_EQ(pool.answer(restart)->generation, 2u);
  EXPECT_EQ(pool.live(), 1u);
  EXPECT_THAT(pool.broken(), IsEmpty());
}

TEST(Pool, AnInstanceThatWantsTheTreeToEndEndsThePoolWithThatWish) {
  PoolDriver pool{plain_pool(2)};
  pool.start();
  pool.settle();
  pool.children()[0].live = 0;
  pool.feed(input::ChildExited{0, 1, PoolDriver::failure(), {}, {}, true});
  pool.settle();
  ASSERT_TRUE(pool.finished());
  EXPECT_TRUE(pool.finished()->ends_tree);
}

TEST(Pool, ShowsEachChangedInstanceOnce) {
  PoolDriver pool{plain_pool(3)};
  pool.start();
  pool.settle();
  auto changed = pool.engine().take_changed();
  std::sort(changed.begin(), changed.end());
  EXPECT_EQ(changed, (std::vector<ChildIndex>{0, 1, 2}));
  EXPECT_THAT(pool.engine().take_changed(), IsEmpty());
  pool.crash(1);
  EXPECT_EQ(pool.engine().take_changed(), std::vector<ChildIndex>{1});
}

}  // namespace
}  // namespace espalier::supervisor
