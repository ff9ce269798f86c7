#include "libsupervisor/actor/actor_fixture.hpp"

#include <gmock/gmock.h>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using SupervisorActor = ActorFixture;

TEST_F(SupervisorActor, StartsInOrderAndTellsThatTheTreeIsUp) {
  launch({.children = {child("a"), child("b"), child("c")}});
  EXPECT_THAT(alive_, ElementsAre("/a", "/b", "/c"));
  EXPECT_EQ(uplink_->ups, 1);
  EXPECT_EQ(services_->census->actors(), 4u);
}

TEST_F(SupervisorActor, RestartsAChildThatThrowsAfterItsBackoffInVirtualTime) {
  launch({.children = {child("a"), child("b")}});
  crash("/a", "no such table");
  advance(999ms);
  EXPECT_EQ(starts_of("/a"), 1u);
  advance(1ms);
  EXPECT_EQ(starts_of("/a"), 2u);
  EXPECT_EQ(starts_of("/b"), 1u);
  const auto exits = sink_->bodies<events::ChildExited>("/a");
  ASSERT_EQ(exits.size(), 1u);
  EXPECT_EQ(exits[0].exit.kind, ExitKind::panicked);
  EXPECT_EQ(exits[0].exit.message, "no such table");
}

TEST_F(SupervisorActor, CarriesTheCategoryOfAChildFailure) {
  add_actor(services_->factories, "broken", [](caf::event_based_actor*, auto) -> caf::behavior {
    throw ChildFailure(FailureCategory::external_dependency, "the disk is away");
  });
  launch({.start_failure = StartFailure::restart, .children = {child("a", "broken")}});
  const auto exits = sink_->bodies<events::ChildExited>("/a");
  ASSERT_FALSE(exits.empty());
  EXPECT_EQ(exits[0].exit.kind, ExitKind::failed);
  EXPECT_EQ(exits[0].exit.category, FailureCategory::external_dependency);
  EXPECT_EQ(exits[0].exit.message, "the disk is away");
}

TEST_F(SupervisorActor, AFactoryThatThrowsIsAFailedStartOfTheTree) {
  add_actor(services_->factories, "broken", [](caf::event_based_actor*, auto) -> caf::behavior {
    throw std::runtime_error("no such device");
  });
  auto last = child("b", "broken");
  last.policy.readiness = Readiness::explicit_report;
  launch({.children = {child("a"), last}});
  advance(1s);
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(uplink_->end->result, effect::Result::start_failed);
  EXPECT_THAT(uplink_->end->exit.message, HasSubstr("no such device"));
  EXPECT_EQ(services_->census->actors(), 0u);
}

TEST_F(SupervisorActor, AnUnknownFactoryIsAFailedStart) {
  launch({.children = {child("a", "nobody")}});
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(uplink_->end->result, effect::Result::start_failed);
  EXPECT_THAT(uplink_->end->exit.message, HasSubstr("nobody"));
}

TEST_F(SupervisorActor, WaitsForAnExplicitReportBeforeTheNextChild) {
  auto slow = child("a");
  slow.policy.readiness = Readiness::explicit_report;
  launch({.children = {slow, child("b")}});
  EXPECT_THAT(alive_, ElementsAre("/a"));
  latest("/a").context->report_ready();
  settle();
  EXPECT_THAT(alive_, ElementsAre("/a", "/b"));
  EXPECT_EQ(uplink_->ups, 1);
}

TEST_F(SupervisorActor, StopsNestedChildrenInReverseAcrossTheLevels) {
  launch({.children = {child("a"), subtree("mid", {.children = {child("b"), child("c")}}),
                       child("d")}});
  EXPECT_THAT(alive_, ElementsAre("/a", "/mid/b", "/mid/c", "/d"));
  line_->send(input::Stop{"test"});
  settle();
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(uplink_->end->result, effect::Result::stopped);
  EXPECT_THAT(sink_->lines({"child_exited"}),
              ElementsAre("/d child_exited", "/mid/c child_exited", "/mid/b child_exited",
                          "/mid child_exited", "/a child_exited"));
  EXPECT_EQ(services_->census->actors(), 0u);
}

TEST_F(SupervisorActor, EscalatesThroughThreeLevels) {
  const RestartLimit one{.max_restarts = 1, .window = 60s};
  SupervisorSpec low{.restart_limit = one, .children = {child("x")}};
  SupervisorSpec mid{.restart_limit = RestartLimit{0, 60s}, .children = {subtree("low", low)}};
  SupervisorSpec root{.restart_limit = RestartLimit{0, 60s}, .children = {subtree("mid", mid)}};
  launch(root);
  crash("/mid/low/x");
  advance(1s);
  EXPECT_EQ(starts_of("/mid/low/x"), 2u);
  EXPECT_FALSE(uplink_->end);
  crash("/mid/low/x");
  advance(5s);
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(uplink_->end->result, effect::Result::failed);
  EXPECT_EQ(sink_->lines({"escalated"}).size(), 3u);
  EXPECT_EQ(services_->census->actors(), 0u);
}

TEST_F(SupervisorActor, AKilledSupervisorLeavesNoOrphans) {
  auto root =
      launch({.children = {child("a"), subtree("mid", {.children = {child("b"), child("c")}})}});
  EXPECT_EQ(services_->census->actors(), 5u);
  caf::anon_send_exit(root, caf::exit_reason::kill);
  settle();
  EXPECT_EQ(services_->census->actors(), 0u);
  EXPECT_EQ(uplink_->ends, 1);
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(uplink_->end->result, effect::Result::failed);
  ASSERT_EQ(uplink_->end->children.size(), 2u);
  for (const auto& child : uplink_->end->children)
    EXPECT_EQ(child.outcome, ChildShutdownOutcome::aborted) << child.path;
}

TEST_F(SupervisorActor, ALateReportOfAnOldAttemptChangesNothing) {
  auto slow = child("a");
  slow.policy.readiness = Readiness::explicit_report;
  launch({.start_failure = StartFailure::restart, .children = {slow}});
  const auto first = latest("/a").context;
  crash("/a");
  advance(1s);
  ASSERT_EQ(starts_of("/a"), 2u);
  first->report_ready();
  settle();
  EXPECT_EQ(sink_->count("/a", "child_ready"), 0u);
  EXPECT_EQ(sink_->count("/a", "stale_report"), 1u);
}

TEST_F(SupervisorActor, AStopDuringABackoffCancelsTheRestart) {
  launch({.children = {child("a")}});
  crash("/a");
  line_->send(input::Stop{"test"});
  settle();
  ASSERT_TRUE(uplink_->end);
  advance(10s);
  EXPECT_EQ(starts_of("/a"), 1u);
}

TEST_F(SupervisorActor, ThousandsOfChildrenDoNotKeepAStopWaiting) {
  SupervisorSpec spec{.shutdown = {.order = ShutdownOrder::parallel}};
  for (int i = 0; i < 2000; ++i)
    spec.children.push_back(child("w" + std::to_string(i)));
  auto root =
      system_.spawn<supervisor::SupervisorActor>(SupervisorStart{.services = services_,
                                                     .spec = std::make_shared<SupervisorSpec>(spec),
                                                     .uplink = uplink_,
                                                     .line = line_});
  line_->open(root);
  line_->send(input::Stop{"at once"}, caf::message_priority::high);
  settle();
  ASSERT_TRUE(uplink_->end);
  // One turn's worth, and the one that was to be next.
  EXPECT_LE(sink_->lines({"child_starting"}).size(), SupervisorState::starts_per_turn + 1u);
  EXPECT_EQ(uplink_->end->result, effect::Result::stopped);
  EXPECT_EQ(services_->census->actors(), 0u);
}

TEST_F(SupervisorActor, AnObserverThatThrowsDoesNoHarm) {
  struct Throwing : EventSink {
    void publish(const Event&) override { throw std::runtime_error("full"); }
  };
  services_->sinks.insert(services_->sinks.begin(), std::make_shared<Throwing>());
  launch({.children = {child("a")}});
  EXPECT_EQ(uplink_->ups, 1);
  EXPECT_EQ(sink_->count("/", "tree_started"), 1u);
}

}  // namespace
}  // namespace espalier::supervisor::testing
