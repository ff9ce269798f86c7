#include "espalier/supervisor/runtime/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class WhyTest : public ::testing::Test {
 protected:
  std::uint64_t tell(const std::string& path, EventBody body, std::uint64_t caused_by = 0,
                     std::uint64_t correlation = 0) {
    const auto sequence = ++last_;
    events_.push_back({.sequence = sequence,
                       .path = path,
                       .cause = {caused_by, correlation},
                       .body = std::move(body)});
    return sequence;
  }
  static std::shared_ptr<const RestartDecision> restart_now() {
    RestartDecision decision;
    decision.exit = {.kind = ExitKind::failed, .code = 1};
    decision.verdict = Verdict::restart_now;
    return std::make_shared<RestartDecision>(decision);
  }
  /// The exit of `path` and the decision about it.
  std::uint64_t fail(const std::string& path) {
    const auto exit = tell(path, events::ChildExited{{.kind = ExitKind::failed, .code = 1}, {}});
    return tell(path, events::RestartDecided{restart_now(), {path}, 1}, exit, exit);
  }
  static std::vector<std::uint64_t> numbers(const Why& why) {
    std::vector<std::uint64_t> result;
    for (const auto& event : why.chain)
      result.push_back(event.sequence);
    return result;
  }

  std::uint64_t last_ = 0;
  std::vector<Event> events_;
  ChildView up_{.phase = ChildPhase::running};
};

TEST_F(WhyTest, AChildThatNeverFailedSaysSo) {
  tell("/a", events::ChildStarting{});
  tell("/a", events::ChildReady{});
  const auto why = why_of("/a", up_, events_);
  EXPECT_EQ(why.sentence, "/a has never failed; it is running since its supervisor started it");
  EXPECT_THAT(why.chain, IsEmpty());
  EXPECT_TRUE(why.complete);
  EXPECT_FALSE(why.decision);
}

TEST_F(WhyTest, ItsOwnFailureIsItsDecision) {
  const auto decided = fail("/a");
  up_.last_decision = restart_now();
  up_.last_cause = {decided, decided - 1};
  const auto why = why_of("/a", up_, events_);
  EXPECT_EQ(why.sentence, explain("/a", *up_.last_decision));
  EXPECT_EQ(why.decision, up_.last_decision);
  EXPECT_THAT(numbers(why), ElementsAre(decided, decided - 1));
  EXPECT_TRUE(why.complete);
}

TEST_F(WhyTest, ASiblingsFailureIsNamed) {
  const auto decided = fail("/a");
  tell("/b", events::ChildStopping{StopCause::strategy}, decided, decided - 1);
  tell("/b", events::ChildExited{{.kind = ExitKind::stopped}, {}}, decided + 1, decided - 1);
  tell("/b", events::ChildReady{}, decided + 2, decided - 1);
  const auto why = why_of("/b", up_, events_);
  EXPECT_THAT(why.sentence, StartsWith("/b was restarted because /a failed: /a: permanent, "));
  EXPECT_THAT(numbers(why), ElementsAre(3, 2, 1));
}

TEST_F(WhyTest, AnEscalationIsFollowedToItsFirstExit) {
  const auto decided = fail("/mid/x");
  const auto up = tell("/mid", events::Escalated{"/", "limit used up"}, decided, 1);
  const auto exit = tell("/mid", events::ChildExited{{.kind = ExitKind::failed}, {}}, up, 1);
  const auto parent = tell("/mid", events::RestartDecided{restart_now(), {}, 2}, exit, 1);
  const auto stop = tell("/b", events::ChildStopping{StopCause::strategy}, parent, 1);
  const auto why = why_of("/b", up_, events_);
  EXPECT_THAT(numbers(why), ElementsAre(stop, parent, exit, up, decided, 1));
  EXPECT_THAT(why.sentence, StartsWith("/b was restarted because /mid failed: "));
}

TEST_F(WhyTest, ACommandIsNamedWithWhoAndWhy) {
  fail("/a");
  tell("/a", events::ChildStopping{StopCause::command});
  tell("/a", events::ChildPaused{});
  tell("/", events::CommandDone{"pause_child", "ann", "upgrade", "done", "/a is paused", "/a"});
  tell("/", events::CommandDone{"pause_child", "bob", "test", "done", "/ab is paused", "/ab"});
  const auto why = why_of("/a", {.phase = ChildPhase::paused}, events_);
  EXPECT_THAT(why.sentence, AllOf(StartsWith("/a is paused by a command: "),
                                  HasSubstr("ann (upgrade)"), EndsWith("/a is paused")));
}

TEST_F(WhyTest, AShutdownIsNamedWithItsCause) {
  const auto stop = tell("/", events::ShutdownRequested{"ann: enough"});
  tell("/a", events::ChildStopping{StopCause::shutdown}, stop, stop);
  const auto why = why_of("/a", {.phase = ChildPhase::stopped}, events_);
  EXPECT_EQ(why.sentence, "/a was stopped because the tree was shut down: ann: enough");
}

TEST_F(WhyTest, WhatIsNotKeptAnyMoreIsSaidToBeMissing) {
  tell("/b", events::ChildStopping{StopCause::strategy}, 77, 70);
  EXPECT_FALSE(why_of("/b", up_, events_).complete);
  up_.last_decision = restart_now();
  up_.last_cause = {500, 499};
  const auto why = why_of("/b", up_, events_);
  EXPECT_FALSE(why.complete);
  EXPECT_EQ(why.sentence, explain("/b", *up_.last_decision));
}

}  // namespace
}  // namespace espalier::supervisor
