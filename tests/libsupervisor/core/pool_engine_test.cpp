// What a pool promises of its instances: starts, names, restart types, time-outs, probes.
#include "libsupervisor/core/support/pool_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
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
