// How a pool ends: all at once, bounded, with a status for each.
#include "libsupervisor/core/support/pool_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using testing_support::plain_pool;
using testing_support::PoolDriver;

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

}  // namespace
}  // namespace espalier::supervisor
