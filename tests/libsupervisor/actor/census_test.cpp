#include "espalier/supervisor/actor/census.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using Runner = Census::Runner;

bool is_quiet(const Census& census) {
  return census.wait_quiet(Duration::zero());
}

TEST(Census, IsQuietWhenNothingIsLeft) {
  Census census;
  EXPECT_TRUE(is_quiet(census));
  census.actor_began();
  EXPECT_FALSE(is_quiet(census));
  const auto run = census.run_began(Runner::thread, "/a");
  census.actor_ended();
  EXPECT_FALSE(is_quiet(census)) << "a thread is left";
  census.run_ended(run);
  EXPECT_TRUE(is_quiet(census));
}

TEST(Census, WaitsForNoOrphanAndStillNamesIt) {
  Census census;
  const auto orphan = census.run_began(Runner::coroutine, "/a");
  census.run_abandoned(orphan);
  EXPECT_TRUE(is_quiet(census));
  ASSERT_EQ(census.runs(Runner::coroutine).size(), 1u);
  EXPECT_TRUE(census.runs(Runner::coroutine).front().abandoned);
  const auto other = census.run_began(Runner::coroutine, "/b");
  EXPECT_FALSE(is_quiet(census));
  census.run_ended(other);
  census.run_ended(orphan);
  census.run_ended(orphan);
  EXPECT_TRUE(is_quiet(census));
  EXPECT_TRUE(census.runs(Runner::coroutine).empty());
}

}  // namespace
}  // namespace espalier::supervisor
