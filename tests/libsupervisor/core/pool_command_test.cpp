// What a pool promises of orders: each is answered once, when it is done, undone or refused.
#include "libsupervisor/core/support/pool_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing_support::plain_pool;
using testing_support::PoolDriver;

class PoolOrders : public ::testing::Test {
 protected:
  explicit PoolOrders(std::uint32_t size = 3) : pool_(plain_pool(size)) {
    pool_.start();
    pool_.settle();
  }
  ~PoolOrders() override { EXPECT_THAT(pool_.broken(), IsEmpty()); }
  PoolDriver pool_;
};

TEST_F(PoolOrders, ScalingUpIsAnsweredOnceAllNewOnesAreReady) {
  const auto ticket = pool_.scale(6);
  pool_.run(3);
  pool_.run(4);
  EXPECT_FALSE(pool_.answered(ticket));
  pool_.run(5);
  ASSERT_TRUE(pool_.answered(ticket));
  EXPECT_EQ(pool_.answer(ticket)->text, "/pool was scaled from 3 to 6 instances");
  EXPECT_EQ(pool_.engine().instances(), 6u);
  ASSERT_EQ(pool_.bodies<events::PoolScaled>().size(), 1u);
  EXPECT_EQ(pool_.bodies<events::PoolScaled>()[0].to, 6u);
  EXPECT_EQ(pool_.bodies<events::CommandDone>().size(), 1u);
  EXPECT_EQ(pool_.bodies<events::ChildAdded>().size(), 3u);
}

TEST_F(PoolOrders, ScalingDownRemovesTheNewestAndIsAnsweredOnceTheyAreGone) {
  const auto ticket = pool_.scale(1);
  EXPECT_EQ(pool_.engine().instances(), 1u) << "at once";
  pool_.exit(2);
  EXPECT_FALSE(pool_.answered(ticket));
  pool_.exit(1);
  ASSERT_TRUE(pool_.answered(ticket));
  EXPECT_TRUE(pool_.answer(ticket)->changed);
  EXPECT_TRUE(pool_.exists("1"));
  EXPECT_EQ(pool_.live(), 1u);
}

TEST_F(PoolOrders, ScalingToWhatItHasChangesNothing) {
  const auto ticket = pool_.scale(3);
  ASSERT_TRUE(pool_.answered(ticket));
  EXPECT_FALSE(pool_.answer(ticket)->changed);
  EXPECT_THAT(pool_.bodies<events::PoolScaled>(), IsEmpty());
}

TEST(PoolOrder, ScalingBeyondItsBoundsIsRefusedInASentence) {
  auto spec = plain_pool(3);
  spec.min = 2;
  spec.max = 5;
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  for (const std::uint32_t size : {1u, 6u}) {
    const auto ticket = pool.scale(size);
    EXPECT_EQ(pool.error(ticket), Error::Code::limit_reached);
    EXPECT_THAT(pool.answer(ticket).error().message, HasSubstr("2 to 5 instances"));
  }
  pool.remove("1");
  pool.settle();
  const auto last = pool.remove("2");
  EXPECT_EQ(pool.error(last), Error::Code::limit_reached);
  EXPECT_EQ(pool.engine().instances(), 2u);
}

// Elixir: max_children counts children that are restarting, and those that cannot run.
TEST(PoolOrder, InstancesThatWaitForARestartCountAgainstTheMax) {
  auto spec = plain_pool(2);
  spec.max = 2;
  spec.child.policy.backoff = {10s, 10s, Jitter::none, 30s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  EXPECT_EQ(pool.error(pool.add()), Error::Code::limit_reached);
  pool.order(CommandKind::quarantine_child, "1");
  EXPECT_EQ(pool.error(pool.add()), Error::Code::limit_reached);
  pool.remove("1");
  const auto ticket = pool.add();
  pool.settle();
  EXPECT_EQ(pool.answer(ticket)->path, "/pool/3");
}

TEST_F(PoolOrders, AddingAnswersWithThePathOfTheNewOne) {
  const auto ticket = pool_.add();
  EXPECT_FALSE(pool_.answered(ticket));
  pool_.settle();
  ASSERT_TRUE(pool_.answered(ticket));
  EXPECT_EQ(pool_.answer(ticket)->path, "/pool/4");
  EXPECT_EQ(pool_.answer(ticket)->phase, ChildPhase::running);
  EXPECT_EQ(pool_.answer(ticket)->generation, 1u);
}

// OTP 10 to 12: what does not start is not kept, and the answer says why.
TEST_F(PoolOrders, AddingWhatDoesNotStartKeepsNothing) {
  const auto ticket = pool_.add();
  pool_.crash(3);
  EXPECT_EQ(pool_.error(ticket), Error::Code::start_failed);
  EXPECT_THAT(pool_.answer(ticket).error().message, HasSubstr("exit code 1"));
  EXPECT_FALSE(pool_.exists("4"));
  EXPECT_EQ(pool_.engine().instances(), 3u);
  EXPECT_THAT(pool_.bodies<events::RestartDecided>(), IsEmpty());
}

TEST_F(PoolOrders, AScaledInstanceThatFailsToStartIsRestartedAndTheAnswerWaitsForIt) {
  const auto ticket = pool_.scale(4);
  pool_.crash(3);
  EXPECT_FALSE(pool_.answered(ticket));
  pool_.settle();
  EXPECT_TRUE(pool_.answer(ticket).has_value());
}

TEST(PoolOrder, ScalingSaysHowManyNeverBecameReady) {
  auto spec = plain_pool(0, RestartType::temporary);
  PoolDriver pool{spec};
  pool.start();
  const auto ticket = pool.scale(3);
  pool.crash(0);
  pool.crash(1);
  pool.settle();
  EXPECT_EQ(pool.error(ticket), Error::Code::start_failed);
  EXPECT_THAT(pool.answer(ticket).error().message, HasSubstr("2 did not become ready; /pool/1"));
  EXPECT_EQ(pool.engine().instances(), 1u);
}

TEST_F(PoolOrders, RemovingStopsAndForgetsAndIsJoinedByASecond) {
  const auto first = pool_.remove("2");
  const auto second = pool_.remove("2");
  EXPECT_FALSE(pool_.answered(first));
  EXPECT_EQ(pool_.engine().instances(), 2u);
  pool_.exit(1);
  EXPECT_FALSE(pool_.answer(first)->joined);
  EXPECT_TRUE(pool_.answer(second)->joined);
  EXPECT_EQ(pool_.error(pool_.remove("2")), Error::Code::not_found);
  EXPECT_EQ(pool_.error(pool_.remove("02")), Error::Code::not_found);
  EXPECT_EQ(pool_.error(pool_.remove("nobody")), Error::Code::not_found);
}

// Elixir: terminate of a restarting child. OTP 72.
TEST(PoolOrder, RemovingCancelsAPendingRestart) {
  auto spec = plain_pool(1);
  spec.child.policy.backoff = {10s, 10s, Jitter::none, 30s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  const auto ticket = pool.remove("1");
  EXPECT_TRUE(pool.answered(ticket));
  EXPECT_EQ(pool.bodies<events::RestartCancelled>().size(), 1u);
  pool.advance(1min);
  EXPECT_EQ(pool.live(), 0u);
  EXPECT_EQ(pool.engine().pending_deadlines(), 0u);
}

TEST_F(PoolOrders, RemovingWhatDoesNotStopAbortsItAfterItsGrace) {
  const auto ticket = pool_.remove("1");
  pool_.advance(5s);
  EXPECT_TRUE(pool_.children()[0].aborting);
  pool_.exit(0);
  EXPECT_TRUE(pool_.answer(ticket).has_value());
}

TEST_F(PoolOrders, RemovingWhatCannotBeEndedSaysSoAndKeepsItsSlotUntilItEnds) {
  const auto ticket = pool_.remove("1");
  pool_.advance(10s);
  ASSERT_TRUE(pool_.answered(ticket));
  EXPECT_THAT(pool_.answer(ticket)->text, HasSubstr("may still run"));
  EXPECT_EQ(pool_.answer(ticket)->phase, ChildPhase::abandoned);
  pool_.add();
  EXPECT_EQ(pool_.slot_of("4"), 3u) << "slot 0 is not free yet";
  pool_.exit(0);
  pool_.add();
  EXPECT_EQ(pool_.slot_of("5"), 0u);
}

TEST_F(PoolOrders, RestartingStartsTheNextGenerationWithoutCountingIt) {
  const auto first = pool_.order(CommandKind::restart_child, "1");
  const auto second = pool_.order(CommandKind::restart_child, "1");
  pool_.exit(0);
  EXPECT_FALSE(pool_.answered(first));
  pool_.run(0);
  EXPECT_EQ(pool_.answer(first)->generation, 2u);
  EXPECT_FALSE(pool_.answer(first)->joined);
  EXPECT_TRUE(pool_.answer(second)->joined);
  EXPECT_EQ(pool_.view("1").restarts_total, 0u);
}

// The orphan would live twice.
TEST_F(PoolOrders, AnInstanceThatLeavesAnOrphanIsKeptUntilSomebodyInsists) {
  const auto first = pool_.order(CommandKind::restart_child, "1");
  pool_.exit_with_orphan(0);
  ASSERT_TRUE(pool_.answered(first));
  EXPECT_THAT(pool_.answer(first).error().message, HasSubstr("/pool/1/x could not be ended"));
  EXPECT_EQ(pool_.view("1").phase, ChildPhase::quarantined);
  pool_.exit_with_orphan(1, PoolDriver::failure());
  EXPECT_EQ(pool_.view("2").phase, ChildPhase::quarantined);
  EXPECT_EQ(pool_.bodies<events::RestartCancelled>().size(), 1u);
  const auto second = pool_.order(CommandKind::restart_child, "1");
  pool_.settle();
  ASSERT_TRUE(pool_.answered(second));
  EXPECT_TRUE(pool_.answer(second));
  EXPECT_EQ(pool_.view("1").phase, ChildPhase::running);
}

// Late reports of the one before it are known by a number that nobody is shown.
TEST_F(PoolOrders, AnInstanceInAUsedSlotBeginsWithItsFirstGeneration) {
  pool_.remove("1");
  pool_.settle();
  pool_.add();
  pool_.settle();
  ASSERT_EQ(pool_.slot_of("4"), 0u);
  EXPECT_EQ(pool_.view("4").generation, 1u);
  pool_.exit_as(0, 1, PoolDriver::failure());
  EXPECT_EQ(pool_.view("4").phase, ChildPhase::running);
  EXPECT_EQ(pool_.bodies<events::StaleReport>().size(), 1u);
}

TEST(PoolOrder, RestartingCutsABackOffShort) {
  auto spec = plain_pool(1);
  spec.child.policy.backoff = {10s, 10s, Jitter::none, 30s};
  PoolDriver pool{spec};
  pool.start();
  pool.settle();
  pool.crash(0);
  const auto ticket = pool.order(CommandKind::restart_child, "1");
  EXPECT_EQ(pool.live(), 1u);
  pool.settle();
  EXPECT_TRUE(pool.answered(ticket));
  EXPECT_EQ(pool.engine().pending_deadlines(), 0u);
}

TEST_F(PoolOrders, QuarantineHoldsUntilResumed) {
  const auto held = pool_.order(CommandKind::quarantine_child, "1");
  EXPECT_FALSE(pool_.answered(held));
  pool_.exit(0);
  EXPECT_EQ(pool_.answer(held)->phase, ChildPhase::quarantined);
  EXPECT_EQ(pool_.view("1").intent, Intent::quarantined);
  const auto again = pool_.order(CommandKind::quarantine_child, "1");
  EXPECT_FALSE(pool_.answer(again)->changed);
  EXPECT_EQ(pool_.live(), 2u);
  const auto resumed = pool_.order(CommandKind::resume_child, "1");
  pool_.settle();
  EXPECT_EQ(pool_.answer(resumed)->phase, ChildPhase::running);
  EXPECT_EQ(pool_.view("1").intent, Intent::run);
  EXPECT_FALSE(pool_.answer(pool_.order(CommandKind::resume_child, "1"))->changed);
}

TEST_F(PoolOrders, ALaterOrderSupersedesAnEarlierOneAndBothAreAnswered) {
  const auto up = pool_.scale(5);
  const auto down = pool_.scale(2);
  EXPECT_EQ(pool_.error(up), Error::Code::superseded);
  pool_.settle();
  EXPECT_TRUE(pool_.answer(down).has_value());
  EXPECT_EQ(pool_.engine().instances(), 2u);

  const auto restart = pool_.order(CommandKind::restart_child, "1");
  const auto hold = pool_.order(CommandKind::quarantine_child, "1");
  const auto resume = pool_.order(CommandKind::resume_child, "1");
  EXPECT_EQ(pool_.error(restart), Error::Code::superseded);
  EXPECT_EQ(pool_.error(hold), Error::Code::superseded);
  const auto remove = pool_.remove("1");
  EXPECT_EQ(pool_.error(resume), Error::Code::superseded);
  const auto late = pool_.order(CommandKind::restart_child, "1");
  EXPECT_EQ(pool_.error(late), Error::Code::wrong_state);
  pool_.settle();
  EXPECT_TRUE(pool_.answer(remove).has_value());
}

TEST_F(PoolOrders, APolicyIsThatOfAllInstances) {
  Command with;
  ChildSpec changed;
  changed.policy.restart = RestartType::temporary;
  with.spec = std::make_shared<const ChildSpec>(changed);
  const auto ticket = pool_.order(CommandKind::set_policy, {}, with);
  EXPECT_TRUE(pool_.answer(ticket).has_value());
  EXPECT_EQ(pool_.error(pool_.order(CommandKind::set_policy, "1", with)), Error::Code::wrong_kind);
  pool_.crash(0);
  EXPECT_FALSE(pool_.exists("1"));
  EXPECT_EQ(pool_.engine().child_spec(1)->factory, "work") << "nothing else has changed";
}

TEST_F(PoolOrders, WhatAPoolCannotDoIsRefusedWithWhatItCan) {
  const auto reload = pool_.order(CommandKind::reload);
  EXPECT_EQ(pool_.error(reload), Error::Code::wrong_kind);
  EXPECT_THAT(pool_.answer(reload).error().message, HasSubstr("scale_pool"));
  for (const auto kind : {CommandKind::stop_child, CommandKind::start_child,
                          CommandKind::pause_child, CommandKind::scale_pool}) {
    const auto ticket = pool_.order(kind, "1");
    EXPECT_EQ(pool_.error(ticket), Error::Code::wrong_kind);
    EXPECT_THAT(pool_.answer(ticket).error().message, HasSubstr("takes restart_child"));
  }
  for (const auto kind :
       {CommandKind::restart_child, CommandKind::reset_group, CommandKind::shutdown_tree}) {
    EXPECT_EQ(pool_.error(pool_.order(kind)), Error::Code::wrong_kind);
  }
}

TEST_F(PoolOrders, ADryRunSaysWhatItWouldDoAndDoesNothing) {
  const auto before = pool_.engine().instances();
  EXPECT_THAT(pool_.answer(pool_.scale(9, true))->plan,
              ElementsAre("scale /pool from 3 to 9 instances"));
  Command dry;
  dry.dry_run = true;
  for (const auto kind : {CommandKind::remove_child, CommandKind::restart_child,
                          CommandKind::quarantine_child, CommandKind::reset_child}) {
    const auto ticket = pool_.order(kind, "2", dry);
    EXPECT_EQ(pool_.answer(ticket)->plan.size(), 1u);
    EXPECT_THAT(pool_.answer(ticket)->text, HasSubstr("/pool/2"));
  }
  pool_.order(CommandKind::add_child, {}, dry);
  EXPECT_EQ(pool_.engine().instances(), before);
  EXPECT_EQ(pool_.engine().pending_orders(), 0u);
  EXPECT_THAT(pool_.bodies<events::CommandDone>(), IsEmpty());
}

TEST_F(PoolOrders, AResetForgetsTheCounters) {
  pool_.crash(0);
  pool_.settle();
  EXPECT_TRUE(pool_.answer(pool_.order(CommandKind::reset_child, "1")).has_value());
  EXPECT_EQ(pool_.view("1").attempt, 1u);
}

TEST_F(PoolOrders, AReloadFromAboveBringsItToTheSizeAndTheBoundsOfTheFile) {
  const auto follow = [this](std::uint32_t size, std::uint32_t min, std::uint32_t max) {
    PoolSpec wanted = plain_pool(size);
    wanted.min = min;
    wanted.max = max;
    auto spec = std::make_shared<ChildSpec>();
    spec->kind = ChildKind::pool;
    spec->pool = std::make_shared<const PoolSpec>(wanted);
    const auto ticket = pool_.order(CommandKind::reload, {}, {.spec = spec});
    pool_.settle();
    return pool_.answer(ticket);
  };
  const auto before = pool_.engine().instances();
  EXPECT_TRUE(follow(static_cast<std::uint32_t>(before) + 2, 1, 20));
  EXPECT_EQ(pool_.engine().instances(), before + 2);
  // What a person made of it stays while the file says the same, but within its bounds.
  pool_.scale(7);
  pool_.settle();
  const auto same = follow(static_cast<std::uint32_t>(before) + 2, 1, 19);
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->changed);
  EXPECT_EQ(pool_.engine().instances(), 7u);
  EXPECT_EQ(pool_.error(pool_.scale(20)), Error::Code::limit_reached);
  EXPECT_TRUE(follow(static_cast<std::uint32_t>(before) + 2, 1, 6));
  EXPECT_EQ(pool_.engine().instances(), 6u);
  EXPECT_TRUE(follow(2, 1, 6));
  EXPECT_EQ(pool_.engine().instances(), 2u);
}

TEST_F(PoolOrders, AStoppingPoolAnswersAllThatWaitAndRefusesTheRest) {
  const auto scale = pool_.scale(5);
  const auto remove = pool_.remove("1");
  pool_.feed(input::Stop{"done", {}, {}});
  EXPECT_EQ(pool_.error(scale), Error::Code::shutting_down);
  EXPECT_EQ(pool_.error(remove), Error::Code::shutting_down);
  EXPECT_EQ(pool_.error(pool_.add()), Error::Code::shutting_down);
  pool_.settle();
  ASSERT_TRUE(pool_.finished());
  EXPECT_EQ(pool_.error(pool_.add()), Error::Code::gone);
}

TEST(PoolOrder, BeforeTheStartAndWithoutAReasonIsRefused) {
  PoolDriver pool{plain_pool(1)};
  EXPECT_EQ(pool.error(pool.add()), Error::Code::wrong_state);
  pool.start();
  Command blank;
  blank.kind = CommandKind::add_child;
  blank.meta = {"ops", " \t"};
  pool.feed(input::Order{77, {}, std::make_shared<const Command>(blank)});
  EXPECT_EQ(pool.error(77), Error::Code::blank_meta);
}

TEST_F(PoolOrders, ACommandForAnotherAttemptOfAnInstanceIsRefused) {
  const auto stale = pool_.order(CommandKind::restart_child, "1", {.expected_generation = 7});
  ASSERT_TRUE(pool_.answered(stale));
  EXPECT_EQ(pool_.error(stale), Error::Code::stale_generation);
  EXPECT_THAT(pool_.answer(stale).error().message, HasSubstr("is in attempt 1, not in attempt 7"));
  const auto current = pool_.order(CommandKind::remove_child, "1", {.expected_generation = 1});
  pool_.settle();
  ASSERT_TRUE(pool_.answered(current));
  EXPECT_TRUE(pool_.answer(current));
}

}  // namespace
}  // namespace espalier::supervisor
