#include "espalier/rehearsal/advice.hpp"

#include "libsupervisor/rehearsal/trees.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::rehearsal {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Advice, TellsWhenATreeGivesUp) {
  auto spec = tree({child("db"), child("api")});
  for (auto& each : spec.children) {
    each.policy.restart_limit = sv::RestartLimit{2, 1min};
    each.policy.on_exhausted = sv::OnExhausted::escalate;
  }
  // 10 ms, 1 s back-off, 10 ms, 2 s, 10 ms.
  EXPECT_THAT(advice_for(spec),
              Contains(AllOf(HasSubstr("/db, /api: if it fails 10 ms after each start: 3 failures"),
                             HasSubstr("the whole tree has ended after 3"))));
}

TEST(Advice, TellsOfQuarantineAndOfSiblings) {
  auto spec = tree({child("db"), child("api")}, sv::Strategy::one_for_all);
  for (auto& each : spec.children) {
    each.policy.restart_limit = sv::RestartLimit{2, 1min};
    each.policy.on_exhausted = sv::OnExhausted::quarantine;
  }
  EXPECT_THAT(advice_for(spec), Contains(AllOf(HasSubstr("then it is quarantined"),
                                               HasSubstr("1 other is restarted with it"))));
}

TEST(Advice, TellsOfRestartsWithoutEnd) {
  auto spec = tree({child("db")});
  spec.children[0].policy.restart_limit.reset();
  spec.restart_limit.reset();
  EXPECT_THAT(advice_for(spec), Contains(HasSubstr("restarted for ever")));
  spec.children[0].policy.backoff.initial = 0s;
  spec.children[0].policy.backoff.max = 0s;
  EXPECT_THAT(advice_for(spec), Contains(HasSubstr("no end")));
}

TEST(Advice, TellsWhoseHangNobodyWouldNotice) {
  auto spec = tree({child("db"), child("api")});
  spec.children[1].policy.watchdog = 20s;
  EXPECT_THAT(advice_for(spec), Contains(HasSubstr("/db: a hang would not be noticed")));
  EXPECT_THAT(advice_for(spec), Not(Contains(HasSubstr("/api: a hang"))));
}

TEST(Advice, TellsHowLongAShutdownTakesAtWorst) {
  auto spec = tree({child("db"), child("api", {"db"})});
  for (auto& each : spec.children)
    each.policy.stop.grace = 3s;
  EXPECT_THAT(advice_for(spec), Contains(HasSubstr("a shutdown that every child ignores takes 6")));
}

}  // namespace
}  // namespace espalier::rehearsal
