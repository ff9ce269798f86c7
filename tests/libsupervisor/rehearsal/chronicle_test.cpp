#include "espalier/rehearsal/chronicle.hpp"

#include "libsupervisor/rehearsal/trees.hpp"

#include <gtest/gtest.h>

namespace espalier::rehearsal {
namespace {

using namespace test;
namespace events = sv::events;

sv::ExitRecord failed() {
  return {.kind = sv::ExitKind::failed};
}

void runs(Chronicle& chronicle, sv::Duration at) {
  chronicle.note(at, "/db", events::ChildStarting{});
  chronicle.note(at, "/db", events::ChildReady{});
}

TEST(Chronicle, ARunAfterAKillIsNoRestartAndEndsNoTree) {
  Chronicle chronicle(10h);
  chronicle.note(0s, "/", events::TreeStarting{});
  runs(chronicle, 0s);
  chronicle.note(5h, "/", events::TreeStarting{});  // Nobody has written of an end.
  runs(chronicle, 5h + 2s);
  const auto report = chronicle.close(10h);
  EXPECT_EQ(report.restarts, 0u);
  EXPECT_EQ(record(report, "/db").starts, 2u);
  EXPECT_EQ(record(report, "/db").down, 2s);
  EXPECT_FALSE(report.ended_at);
}

TEST(Chronicle, AShutdownOfAnEarlierRunSaysNothingOfTheLast) {
  Chronicle chronicle(10h);
  chronicle.note(0s, "/", events::TreeStarting{});
  chronicle.shutdown_wanted();
  chronicle.note(1h, "/", events::TreeStopped{"stopped"});
  chronicle.note(2h, "/", events::TreeStarting{});
  chronicle.note(3h, "/", events::TreeStopped{"failed"});
  const auto report = chronicle.close(10h);
  EXPECT_EQ(report.ended_at, 3h);
  EXPECT_TRUE(report.failed);
}

TEST(Chronicle, AnExitWhileDownBelongsToTheSameOutage) {
  Chronicle chronicle(10h);
  runs(chronicle, 0s);
  for (const auto at : {1h, 2h}) {
    chronicle.note(at, "/db", events::ChildExited{failed(), 1s});
    chronicle.note(at + 1min, "/db", events::ChildStarting{});
  }
  chronicle.note(3h, "/db", events::ChildReady{});
  const auto report = chronicle.close(10h);
  ASSERT_EQ(report.worst.size(), 1u);
  EXPECT_EQ(report.worst[0].from, 1h);
  EXPECT_EQ(report.worst[0].length, 2h);
  EXPECT_EQ(report.worst[0].attempts, 2u);
  EXPECT_EQ(report.restarts, 2u);
}

TEST(Chronicle, KeepsTheLongestTenOnly) {
  Chronicle chronicle(1000h);
  runs(chronicle, 0s);
  for (int i = 1; i <= 30; ++i) {
    chronicle.note(i * 1h, "/db", events::ChildExited{failed(), 1s});
    runs(chronicle, i * 1h + i * 1s);
  }
  const auto report = chronicle.close(1000h);
  ASSERT_EQ(report.worst.size(), 10u);
  EXPECT_EQ(report.worst.front().length, 30s);
  EXPECT_EQ(report.worst.back().length, 21s);
  EXPECT_EQ(record(report, "/db").down, 465s);
}

}  // namespace
}  // namespace espalier::rehearsal
