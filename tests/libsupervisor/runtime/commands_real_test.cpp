#include "espalier/actor.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Commands : public RuntimeFixture {
 protected:
  static const char* code(const CommandResult& result) {
    return result ? "done" : to_string(result.error().code);
  }
  static ChildPhase phase(const SupervisorHandle& tree, const std::string& path) {
    const auto state = tree.current_state({.path = path, .depth = 0});
    return state ? state->nodes.front().view.phase : ChildPhase::removed;
  }
  static std::uint64_t generation(const SupervisorHandle& tree, const std::string& path) {
    return tree.current_state({.path = path, .depth = 0})->nodes.front().view.generation;
  }
};

TEST_F(Commands, EachDoesWhatItSaysAndTheStateShowsIt) {
  auto tree = start({.children = {blocking("a"), actor("b")}});
  ASSERT_TRUE(tree);
  EXPECT_STREQ(code(tree->stop_child("/a", meta_)), "done");
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::stopped);
  EXPECT_STREQ(code(tree->start_child("/a", meta_)), "done");
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::running);
  EXPECT_STREQ(code(tree->restart_child("/a", meta_)), "done");
  EXPECT_EQ(generation(*tree, "/a"), 3u);
  EXPECT_STREQ(code(tree->pause_child("/a", meta_)), "done");
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::paused);
  EXPECT_STREQ(code(tree->resume_child("/a", meta_)), "done");
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::running);
  EXPECT_STREQ(code(tree->quarantine_child("/b", meta_)), "done");
  EXPECT_EQ(phase(*tree, "/b"), ChildPhase::quarantined);
  EXPECT_STREQ(code(tree->reset_child("/b", meta_)), "done");
  EXPECT_STREQ(code(tree->restart_child("/b", meta_)), "done");
  EXPECT_EQ(phase(*tree, "/b"), ChildPhase::running);
  EXPECT_EQ(sink_->count("/", "command_done"), 8u);
}

TEST_F(Commands, ChildrenComeAndGo) {
  auto tree = start({.children = {subtree("mid", {.children = {blocking("a")}})}});
  ASSERT_TRUE(tree);
  EXPECT_STREQ(code(tree->add_child("/mid", blocking("b"), meta_)), "done");
  EXPECT_EQ(phase(*tree, "/mid/b"), ChildPhase::running);
  EXPECT_STREQ(code(tree->add_child("/mid", blocking("b"), meta_)), "name_taken");
  EXPECT_STREQ(code(tree->remove_child("/mid/b", meta_)), "done");
  EXPECT_STREQ(code(tree->remove_child("/mid/b", meta_)), "not_found");
  EXPECT_STREQ(code(tree->add_child("/mid", blocking("b"), meta_)), "done");
  EXPECT_EQ(tree->counts().total, 3u);
  SupervisorSpec more{.children = {actor("x"), actor("y")}};
  EXPECT_STREQ(code(tree->add_child("/", subtree("late", more), meta_)), "done");
  EXPECT_EQ(phase(*tree, "/late/x"), ChildPhase::running);
  EXPECT_STREQ(code(tree->remove_child("/late", meta_)), "done");
  EXPECT_FALSE(tree->current_state({.path = "/late/x"}));
  EXPECT_EQ(tree->counts().total, 3u);
}

TEST_F(Commands, WhatCannotBeAddedIsRefusedBeforeAnythingHappens) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  const auto unknown = tree->add_child("/", blocking("b", "nobody"), meta_);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Error::Code::unknown_factory);
  EXPECT_THAT(unknown.error().message, StartsWith("/b: unknown factory 'nobody'"));
  EXPECT_STREQ(code(tree->add_child("/", blocking("1 2"), meta_)), "invalid_spec");
  EXPECT_STREQ(code(tree->add_child("/a", blocking("b"), meta_)), "wrong_kind");
  auto alone = blocking("b");
  alone.dependencies = {"nobody"};
  EXPECT_STREQ(code(tree->add_child("/", alone, meta_)), "dependency");
  EXPECT_EQ(sink_->count("/b", "child_starting"), 0u);
  EXPECT_EQ(tree->counts().total, 1u);
}

TEST_F(Commands, AnUnknownPathComesWithAHint) {
  auto tree = start({.children = {blocking("worker"), subtree("db", {.children = {actor("x")}})}});
  ASSERT_TRUE(tree);
  const auto missed = tree->restart_child("/wroker", meta_);
  ASSERT_FALSE(missed);
  EXPECT_EQ(missed.error().code, Error::Code::not_found);
  EXPECT_EQ(missed.error().message, "there is no /wroker; did you mean /worker?");
  EXPECT_STREQ(code(tree->restart_child("/nobody/x", meta_)), "not_found");
  EXPECT_STREQ(code(tree->restart_child("worker", meta_)), "not_found");
  EXPECT_STREQ(code(tree->restart_child("/", meta_)), "wrong_kind");
  EXPECT_STREQ(code(tree->scale_pool("/worker", 3, meta_)), "wrong_kind");
  const auto below = tree->current_state({.path = "/worker/x"});
  ASSERT_FALSE(below);
  EXPECT_THAT(below.error().message, HasSubstr("/worker is no supervisor"));
}

TEST_F(Commands, BlankMetaIsRefused) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  EXPECT_STREQ(code(tree->stop_child("/a", {"me", ""})), "blank_meta");
  EXPECT_STREQ(code(tree->execute({.kind = CommandKind::shutdown_tree, .path = "/"})),
               "blank_meta");
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::running);
  EXPECT_TRUE(tree->is_alive());
}

TEST_F(Commands, PastItsDeadlineACommandGoesOn) {
  auto slow = blocking("a");
  slow.policy.readiness = Readiness::explicit_report;
  factories_.add_blocking("second", [](ChildContext& context) {
    if (context.generation() == 2) context.sleep_for(200ms);
    context.report_ready();
    while (context.sleep_for(1min)) {
    }
  });
  slow.factory = "second";
  auto tree = start({.children = {slow}});
  ASSERT_TRUE(tree);
  const auto late = tree->restart_child("/a", meta_, 10ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Error::Code::timed_out);
  EXPECT_THAT(late.error().message, HasSubstr("it goes on"));
  EXPECT_TRUE(sink_->wait_for("/a", "child_ready", 2));
}

TEST_F(Commands, TheMessageFormAnswersAnActor) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto with = options();
  with.system = &system;
  auto tree = Supervisor::start({.children = {blocking("a")}}, factories_, with);
  ASSERT_TRUE(tree);
  caf::scoped_actor self{system};
  const auto me = caf::actor_cast<caf::actor>(self);
  send_command(*tree, {.kind = CommandKind::restart_child, .path = "/a", .meta = meta_}, me);
  send_command(*tree, {.kind = CommandKind::restart_child, .path = "/b", .meta = meta_}, me);
  std::vector<std::string> answers;
  for (int i = 0; i < 2; ++i) {
    self->receive([&](const CommandResult& result) { answers.emplace_back(code(result)); },
                  caf::after(10s) >> [&] { answers.emplace_back("none"); });
  }
  EXPECT_THAT(answers, ::testing::UnorderedElementsAre("done", "not_found"));
}

TEST_F(Commands, EveryAnswerComesOnceAlsoWhenTheTreeEndsFirst) {
  auto never = blocking("a");
  never.policy.readiness = Readiness::explicit_report;
  auto tree = launch({.start_failure = StartFailure::restart, .children = {never}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/a", "child_running"));
  std::atomic<int> answers = 0;
  std::atomic<int> failures = 0;
  for (int i = 0; i < 50; ++i) {
    tree->execute({.kind = CommandKind::restart_child, .path = "/a", .meta = meta_},
                  [&](const CommandResult& result) {
                    ++answers;
                    if (!result) ++failures;
                  });
  }
  ASSERT_TRUE(tree->shutdown(meta_));
  EXPECT_EQ(answers, 50);
  EXPECT_EQ(failures, 50);
  const auto after = tree->restart_child("/a", meta_);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Error::Code::shutting_down);
}

TEST_F(Commands, ATreeThatFailedIsGone) {
  factories_.add_blocking("crash", [](ChildContext& context) {
    context.sleep_for(5ms);
    throw std::runtime_error("x");
  });
  auto tree = launch({.restart_limit = RestartLimit{0, 60s}, .children = {blocking("a", "crash")}});
  ASSERT_TRUE(tree);
  ASSERT_NE(tree->join_for(10s), nullptr);
  EXPECT_STREQ(code(tree->restart_child("/a", meta_)), "gone");
  EXPECT_EQ(tree->ping().error().code, Error::Code::gone);
  EXPECT_EQ(tree->health().state, HealthReport::State::failed);
  EXPECT_FALSE(tree->health().alive);
  EXPECT_TRUE(tree->current_state()) << "its last state can be seen";
}

TEST_F(Commands, NobodyWaitsOnASupervisorsOwnThread) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  std::promise<std::string> inner;
  tree->execute({.kind = CommandKind::restart_child, .path = "/a", .meta = meta_},
                [&](const CommandResult&) {
                  inner.set_value(std::string{code(tree->stop_child("/a", meta_))} + " " +
                                  to_string(tree->ping().error().code) + " " +
                                  to_string(tree->wait_started().error().code) + " " +
                                  (tree->join_for(10s) ? "ended" : "runs"));
                });
  auto answered = inner.get_future();
  ASSERT_EQ(answered.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(answered.get(), "wrong_state wrong_state wrong_state runs");
}

TEST_F(Commands, TheLastHandleMayGoInAnAnswer) {
  {
    auto tree = start({.children = {blocking("a")}});
    ASSERT_TRUE(tree);
    auto copy = std::make_shared<SupervisorHandle>(*tree);
    std::promise<void> dropped;
    auto done = dropped.get_future();
    auto release = std::make_shared<std::promise<void>>();
    auto released = release->get_future().share();
    copy->execute({.kind = CommandKind::restart_child, .path = "/a", .meta = meta_},
                  [copy, released, &dropped](const CommandResult&) mutable {
                    released.wait();
                    copy.reset();
                    dropped.set_value();
                  });
    copy.reset();
    tree = unexpected<Error>(Error{});
    release->set_value();
    ASSERT_EQ(done.wait_for(10s), std::future_status::ready);
  }
  EXPECT_TRUE(sink_->wait_for("/", "shutdown_completed"));
}

TEST_F(Commands, ShutdownTreeIsACommandToo) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  const Command end{.kind = CommandKind::shutdown_tree, .path = "/", .meta = meta_};
  auto dry = end;
  dry.dry_run = true;
  EXPECT_STREQ(code(tree->execute(dry)), "done");
  EXPECT_TRUE(tree->is_alive());
  EXPECT_STREQ(code(tree->execute(end)), "done");
  const auto* result = tree->join_for(10s);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(result->kind, TreeResult::Kind::stopped);
  EXPECT_EQ(result->report.cause, "test: done");
}

TEST_F(Commands, APolicyIsChangedInPlace) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  auto policy = quick_policy();
  policy.severity = SeverityClass::optional;
  EXPECT_STREQ(code(tree->set_policy("/a", policy, meta_)), "done");
  const auto state = tree->current_state({.path = "/a"});
  ASSERT_TRUE(state);
  EXPECT_EQ(state->nodes.front().severity(), SeverityClass::optional);
  EXPECT_EQ(generation(*tree, "/a"), 1u);
}

TEST_F(Commands, AHeldGroupIsReset) {
  factories_.add_blocking("once", [](ChildContext& context) {
    if (context.generation() == 1) {
      context.sleep_for(20ms);
      throw std::runtime_error("x");
    }
    while (context.sleep_for(1min)) {
    }
  });
  auto member = blocking("a", "once");
  member.group = "g";
  auto tree = start(
      {.groups = {{.name = "g", .restart_limit = RestartLimit{0, 60s}}}, .children = {member}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/", "group_held"));
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::held);
  EXPECT_STREQ(code(tree->reset_group("/", "nobody", meta_)), "not_found");
  EXPECT_STREQ(code(tree->reset_group("/", "g", meta_)), "done");
  EXPECT_TRUE(sink_->wait_for("/a", "child_running", 2));
}

TEST_F(Commands, APoolIsScaled) {
  ChildSpec pool{.name = "pool", .kind = ChildKind::pool, .policy = quick_policy()};
  pool.pool = std::make_shared<PoolSpec>(PoolSpec{.child = actor("template"), .size = 2});
  auto tree = start({.children = {pool}});
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(tree->counts().total, 3u);
  EXPECT_STREQ(code(tree->scale_pool("/pool", 50, meta_)), "done");
  EXPECT_EQ(tree->counts().total, 51u);
  EXPECT_EQ(tree->current_state({.path = "/pool"})->nodes.size(), 51u);
  EXPECT_STREQ(code(tree->scale_pool("/pool", 0, meta_)), "done");
  EXPECT_EQ(tree->counts().total, 1u);
}

TEST_F(Commands, OneForAnAttemptThatIsOverChangesNothing) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(tree->restart_child("/a", meta_));
  Command command{.kind = CommandKind::stop_child, .path = "/a", .meta = meta_};
  command.expected_generation = 1;
  EXPECT_STREQ(code(tree->execute(command)), "stale_generation");
  EXPECT_EQ(phase(*tree, "/a"), ChildPhase::running);
  command.expected_generation = 2;
  EXPECT_STREQ(code(tree->execute(command)), "done");
}

TEST_F(Commands, KeptEventsCanBeReadOnFromWhereOneWas) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  const auto first = tree->kept_events(0, 1000);
  ASSERT_FALSE(first.events.empty());
  EXPECT_EQ(first.events.front().sequence, 1u);
  std::atomic<int> woken = 0;
  const auto wish = tree->on_event([&] { ++woken; });
  ASSERT_TRUE(tree->restart_child("/a", meta_));
  const auto second = tree->kept_events(first.next, 1000);
  EXPECT_EQ(second.lost, 0u);
  EXPECT_GE(second.events.size(), 4u);
  EXPECT_GE(woken, 4);
  EXPECT_EQ(second.next, tree->kept_events_end());
}

TEST_F(Commands, TheRootTellsSinceWhenItIsUpLikeAnyChild) {
  const auto before = std::chrono::steady_clock::now();
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  const auto root = tree->current_state({.depth = 0})->nodes.front().view;
  EXPECT_EQ(root.phase, ChildPhase::running);
  EXPECT_GE(root.since, before - 100ms);
  EXPECT_LE(root.since, std::chrono::steady_clock::now() + 100ms);
}

}  // namespace
}  // namespace espalier::supervisor::testing
