#include "libsupervisor/actor/actor_fixture.hpp"

#include <gmock/gmock.h>

#include <future>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class SharedServices : public ActorFixture {
 protected:
  // The answer of the supervisor at `path`, in the order of the answers.
  void order(const std::string& path, Command command, const std::string& child = "") {
    const auto entry = services_->directory->find(path);
    ASSERT_TRUE(entry);
    const auto ticket = entry->desk->open([this](const CommandResult& result) {
      answers_.push_back(result ? result->text : to_string(result.error().code));
    });
    if (!ticket) return;
    entry->line->send(
        input::Order{*ticket, child, std::make_shared<const Command>(std::move(command))});
  }
  static Command command(CommandKind kind) { return {.kind = kind, .meta = {"test", "why not"}}; }
  ChildPhase phase(const std::string& path, const std::string& child) {
    return services_->directory->find(path)->board->find(child)->view.phase;
  }

  std::vector<std::string> answers_;
};

TEST_F(SharedServices, EverySupervisorIsFoundByItsPath) {
  launch({.children = {child("a"), subtree("mid", {.children = {child("x")}})}});
  EXPECT_EQ(services_->directory->below("/").size(), 2u);
  EXPECT_EQ(phase("/", "a"), ChildPhase::running);
  EXPECT_EQ(phase("/", "mid"), ChildPhase::running);
  EXPECT_EQ(phase("/mid", "x"), ChildPhase::running);
  EXPECT_EQ(services_->directory->totals()->counts().total, 3u);
  crash("/mid/x");
  EXPECT_EQ(phase("/mid", "x"), ChildPhase::backing_off);
  EXPECT_EQ(services_->directory->totals()->counts().unready, 1u);
}

TEST_F(SharedServices, AnAddedChildIsShownBeforeTheAnswer) {
  launch({.children = {child("a")}});
  auto add = command(CommandKind::add_child);
  add.spec = std::make_shared<ChildSpec>(child("b"));
  order("/", std::move(add));
  settle();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(phase("/", "b"), ChildPhase::running);
  order("/", command(CommandKind::remove_child), "b");
  settle();
  EXPECT_EQ(answers_.size(), 2u);
  EXPECT_FALSE(services_->directory->find("/")->board->find("b"));
  EXPECT_EQ(sink_->count("/b", "child_removed"), 1u);
  EXPECT_EQ(services_->directory->totals()->counts().total, 1u);
}

TEST_F(SharedServices, ABlankMetaIsRefusedInTheTreeToo) {
  launch({.children = {child("a")}});
  order("/", {.kind = CommandKind::stop_child}, "a");
  settle();
  EXPECT_THAT(answers_, ElementsAre("blank_meta"));
  EXPECT_EQ(phase("/", "a"), ChildPhase::running);
}

TEST_F(SharedServices, WhoWaitsIsAnsweredWhenTheSupervisorDies) {
  auto slow = child("a");
  slow.policy.readiness = Readiness::explicit_report;
  const auto root = launch({.start_failure = StartFailure::restart, .children = {slow}});
  order("/", command(CommandKind::restart_child), "a");
  settle();
  EXPECT_TRUE(answers_.empty());
  caf::anon_send_exit(root, caf::exit_reason::kill);
  settle();
  EXPECT_THAT(answers_, ElementsAre("gone"));
  order("/", command(CommandKind::restart_child), "a");
  EXPECT_THAT(answers_, ElementsAre("gone", "gone"));
}

TEST_F(SharedServices, WhoWaitsIsToldOfTheShutdown) {
  auto slow = child("a");
  slow.policy.readiness = Readiness::explicit_report;
  launch({.start_failure = StartFailure::restart, .children = {slow}});
  order("/", command(CommandKind::restart_child), "a");
  settle();
  line_->send(input::Stop{"test"});
  settle();
  advance(10s);
  EXPECT_THAT(answers_, ElementsAre("shutting_down"));
}

TEST_F(SharedServices, APingComesBackFromTheSupervisor) {
  launch({.children = {child("a")}});
  const auto answer = std::make_shared<std::promise<void>>();
  auto answered = answer->get_future();
  line_->ping({answer});
  EXPECT_EQ(answered.wait_for(0s), std::future_status::timeout);
  settle();
  EXPECT_EQ(answered.wait_for(0s), std::future_status::ready);
}

TEST_F(SharedServices, AGrantedWishForTheEndEndsTheWholeTree) {
  auto asks = child("x");
  asks.permissions.shutdown = true;
  launch({.children = {child("a"), subtree("mid", {.children = {asks}})}});
  latest("/mid/x").context->request_tree_shutdown("all done");
  settle();
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(uplink_->end->result, effect::Result::stopped);
  EXPECT_EQ(services_->census->actors(), 0u);
}

TEST_F(SharedServices, ANestedSupervisorThatWantsTheTreeToEndEndsIt) {
  auto last = child("x");
  last.policy.restart_limit.reset();
  SupervisorSpec mid{.restart_limit = RestartLimit{0, 60s},
                     .escalation = EscalationPolicy::shutdown_tree,
                     .children = {last}};
  launch({.children = {child("a"), subtree("mid", mid)}});
  crash("/mid/x");
  advance(5s);
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(starts_of("/mid/x"), 1u);
  EXPECT_EQ(starts_of("/a"), 1u);
  EXPECT_EQ(services_->census->actors(), 0u);
}

// Ten children that die at once come back one each second, over two supervisors.
TEST_F(SharedServices, RestartsOfTheWholeTreeAreLetInOneByOne) {
  services_->admission =
      std::make_shared<AdmissionDesk>(AdmissionSpec{.restarts_per_second = 1, .burst = 1});
  SupervisorSpec mid{.restart_limit = {}};
  SupervisorSpec root{.restart_limit = {}};
  for (int i = 0; i < 3; ++i) {
    mid.children.push_back(child("m" + std::to_string(i)));
    root.children.push_back(child("r" + std::to_string(i)));
  }
  root.children.push_back(subtree("mid", mid));
  launch(root);
  for (int i = 0; i < 3; ++i) {
    crash("/mid/m" + std::to_string(i));
    crash("/r" + std::to_string(i));
  }
  const auto restarted = [this] { return sink_->lines({"child_restarted"}).size(); };
  advance(1s);  // The back-off.
  EXPECT_EQ(restarted(), 1u);
  for (std::size_t second = 1; second < 6; ++second) {
    advance(1s);
    EXPECT_EQ(restarted(), second + 1);
  }
}

TEST_F(SharedServices, ADeadSupervisorGivesItsPlacesBack) {
  services_->admission = std::make_shared<AdmissionDesk>(AdmissionSpec{.max_concurrent_starts = 1});
  auto slow = child("x");
  slow.policy.readiness = Readiness::explicit_report;
  SupervisorSpec mid{.start_failure = StartFailure::restart, .children = {slow}};
  auto policy = subtree("mid", mid);
  policy.policy.readiness = Readiness::immediate;
  launch({.start_failure = StartFailure::restart, .children = {policy, child("a")}});
  latest("/mid/x").context->report_ready();
  settle();
  crash("/mid/x");
  advance(1s);
  ASSERT_EQ(starts_of("/mid/x"), 2u) << "it has the only place and is not ready";
  crash("/a");
  advance(1s);
  EXPECT_EQ(starts_of("/a"), 1u);
  order("/", command(CommandKind::stop_child), "mid");
  settle();
  advance(6s);
  EXPECT_EQ(starts_of("/a"), 2u);
}

}  // namespace
}  // namespace espalier::supervisor::testing
