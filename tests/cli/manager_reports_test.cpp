#include "espalier/cli/manager_reports.hpp"

#include "cli/fake_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <cstdint>

namespace espalier::cli {
namespace {

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

sv::SupervisorSpec shop() {
  sv::SupervisorSpec root;
  root.name = "shop";
  for (const char* name : {"web", "db"}) {
    sv::ChildSpec child;
    child.name = name;
    root.children.push_back(child);
  }
  return root;
}

std::int64_t monotonic_microseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

/// A tree that does as it is told, a clock that is turned by hand, and who listens.
class ManagerReportsTest : public testing::Test {
 protected:
  void tell(const std::string& path, sv::EventBody body) {
    sv::Event event;
    event.path = path;
    event.body = std::move(body);
    feed_.publish(event);
  }
  /// Ticks ten times a second, as the program does.
  void pass(sv::Duration time) {
    for (const auto end = now_ + time; now_ < end;) {
      now_ += 100ms;
      reports_.tick(now_);
      manager_.listen();
    }
  }
  std::size_t heard_in(sv::Duration time, const std::string& line) {
    manager_.heard();
    pass(time);
    return manager_.count(line);
  }

  FakeManager manager_{{{"WATCHDOG_USEC", "4000000"}}};
  SystemdNotifier notifier_;
  TreeFeed feed_{shop()};
  bool answers_ = true;
  ManagerReports reports_{notifier_, feed_, 30s, 100ms, [this](sv::Duration) { return answers_; }};
  ManagerReports::Clock::time_point now_{1h};
};

TEST_F(ManagerReportsTest, ReadyIsSaidOnceAndOnlyOfATreeThatIsUp) {
  EXPECT_EQ(heard_in(5s, "READY=1"), 0U);
  tell("/", sv::events::TreeStarted{});
  EXPECT_EQ(heard_in(5s, "READY=1"), 1U);
}

TEST_F(ManagerReportsTest, SignsOfLifeComeTwiceInTheIntervalAndOnlyWhileTheTreeAnswers) {
  tell("/", sv::events::TreeStarted{});
  EXPECT_EQ(notifier_.watchdog_interval(), 2s);
  EXPECT_GE(heard_in(20s, "WATCHDOG=1"), 10U);
  answers_ = false;
  EXPECT_EQ(heard_in(20s, "WATCHDOG=1"), 0U) << "the tree hangs and nobody would know";
  answers_ = true;
  EXPECT_GE(heard_in(20s, "WATCHDOG=1"), 10U);
}

TEST_F(ManagerReportsTest, AStartMayTakeAsLongAsTheTreeAnswers) {
  EXPECT_GE(heard_in(20s, "EXTEND_TIMEOUT_USEC=10000000"), 10U);
  answers_ = false;
  EXPECT_EQ(heard_in(20s, "EXTEND_TIMEOUT_USEC=10000000"), 0U);
  answers_ = true;
  tell("/", sv::events::TreeStarted{});
  pass(1s);
  EXPECT_EQ(heard_in(20s, "EXTEND_TIMEOUT_USEC=10000000"), 0U) << "nothing is to be waited for";
}

TEST_F(ManagerReportsTest, AStopMayTakeAsLongAsTheTreeAllowsAndNoLonger) {
  tell("/", sv::events::TreeStarted{});
  pass(1s);
  tell("/", sv::events::ShutdownRequested{});
  EXPECT_EQ(heard_in(200ms, "STOPPING=1"), 1U);
  EXPECT_GE(heard_in(34s, "EXTEND_TIMEOUT_USEC=10000000"), 16U);
  pass(1s);
  EXPECT_EQ(heard_in(60s, "EXTEND_TIMEOUT_USEC=10000000"), 0U) << "it should be over long ago";
}

TEST_F(ManagerReportsTest, AStopThatHangsGetsNoMoreTime) {
  tell("/", sv::events::ShutdownRequested{});
  pass(1s);
  answers_ = false;
  EXPECT_EQ(heard_in(20s, "EXTEND_TIMEOUT_USEC=10000000"), 0U);
}

TEST_F(ManagerReportsTest, TheStatusIsToldWhenItChangesAndAtMostOnceASecond) {
  pass(1s);
  EXPECT_THAT(manager_.heard_with("STATUS="), ElementsAre("STATUS=0/2 children up"));
  pass(10s);
  EXPECT_THAT(manager_.heard_with("STATUS="), IsEmpty());
  for (int i = 0; i < 50; ++i) {  // Five seconds in which it changes at each tick.
    if (i % 2 == 0) {
      tell("/web", sv::events::ChildStarting{});
      tell("/web", sv::events::ChildReady{});
    } else {
      tell("/web", sv::events::ChildExited{});
    }
    pass(100ms);
  }
  const auto told = manager_.heard_with("STATUS=").size();
  EXPECT_GE(told, 2U);
  EXPECT_LE(told, 6U);
}

TEST_F(ManagerReportsTest, AReloadTellsWhenItBeganAndWhenItIsOver) {
  notifier_.ready();
  manager_.heard();
  const auto before = monotonic_microseconds();
  notifier_.reloading();
  const auto messages = manager_.heard();
  ASSERT_EQ(messages.size(), 1U);
  ASSERT_THAT(messages[0], MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  const auto told = std::stoll(messages[0].substr(messages[0].rfind('=') + 1));
  EXPECT_GE(told, before);
  EXPECT_LE(told, monotonic_microseconds());
  notifier_.reloaded();
  EXPECT_THAT(manager_.heard(), ElementsAre("READY=1"));
}

TEST_F(ManagerReportsTest, AReloadDuringTheStartDoesNotMakeItReady) {
  notifier_.reloading();
  notifier_.reloaded();
  EXPECT_THAT(manager_.heard(), IsEmpty());
}

TEST_F(ManagerReportsTest, NothingTakesStoppingBack) {
  notifier_.ready();
  notifier_.reloading();
  notifier_.stopping();
  manager_.heard();
  notifier_.reloaded();
  notifier_.ready();
  notifier_.reloading();
  notifier_.stopping();
  EXPECT_THAT(manager_.heard(), IsEmpty());
}

}  // namespace
}  // namespace espalier::cli
