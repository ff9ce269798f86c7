#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using SupervisorRuntime = RuntimeFixture;

TEST_F(SupervisorRuntime, StartsAndShutsDownWithACleanReport) {
  auto tree =
      start({.children = {blocking("a"), actor("b"), subtree("c", {.children = {actor("d")}})}});
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_TRUE(tree->is_alive());
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->kind, TreeResult::Kind::stopped);
  EXPECT_EQ(result->report.cause, "test: done");
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), result->report.children.size());
  EXPECT_FALSE(tree->is_alive());
  EXPECT_EQ(&tree->join(), tree->join_for(0s));
}

TEST_F(SupervisorRuntime, EventNumbersHaveNoGapAndEndWithTheReport) {
  auto tree = start({.children = {blocking("a"), subtree("c", {.children = {actor("d")}})}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(tree->shutdown(meta_));
  auto events = sink_->events();
  ASSERT_FALSE(events.empty());
  EXPECT_STREQ(type_name(events.back().body), "shutdown_completed");
  std::sort(events.begin(), events.end(),
            [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  for (std::size_t i = 0; i < events.size(); ++i)
    ASSERT_EQ(events[i].sequence, i + 1);
  EXPECT_EQ(sink_->count("/", "tree_stopped"), 1u);
}

TEST_F(SupervisorRuntime, AnInvalidSpecStartsNothing) {
  const auto tree = start({.children = {blocking("a", "nobody")}});
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().code, Error::Code::invalid_spec);
  EXPECT_THAT(tree.error().message, StartsWith("/a: unknown factory 'nobody'"));
  EXPECT_TRUE(sink_->events().empty());
}

TEST_F(SupervisorRuntime, AFailedStartNamesTheChildAndTheCause) {
  factories_.add_blocking("broken", [](ChildContext&) { throw std::runtime_error("no disk"); });
  auto bad = blocking("b", "broken");
  bad.policy.readiness = Readiness::explicit_report;
  const auto tree = start({.children = {blocking("a"), bad}});
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().code, Error::Code::start_failed);
  EXPECT_THAT(tree.error().message, HasSubstr("no disk"));
}

TEST_F(SupervisorRuntime, AStopDuringTheStartEndsIt) {
  auto never = blocking("a");
  never.policy.readiness = Readiness::explicit_report;
  auto tree = launch({.children = {never, blocking("b")}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/a", "child_running"));
  ASSERT_TRUE(tree->request_shutdown(meta_));
  const auto started = tree->wait_started();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Error::Code::stopped_early);
  EXPECT_EQ(sink_->count("/b", "child_starting"), 0u);
}

TEST_F(SupervisorRuntime, ABlankMetaIsRefused) {
  auto tree = start({.children = {actor("a")}});
  ASSERT_TRUE(tree);
  const auto refused = tree->request_shutdown({"", " "});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::blank_meta);
  EXPECT_TRUE(tree->is_alive());
}

TEST_F(SupervisorRuntime, AThreadThatNeverReturnsIsNamedAndHoldsNothingUp) {
  auto release = std::make_shared<std::atomic<bool>>(false);
  factories_.add_blocking("endless", [release](ChildContext&) {
    while (!*release)
      std::this_thread::sleep_for(5ms);
  });
  auto stuck = blocking("stuck", "endless");
  stuck.policy.stop.grace = 50ms;
  const auto begun = std::chrono::steady_clock::now();
  {
    auto tree = start({.shutdown = {.abort_wait = 50ms}, .children = {stuck, blocking("fine")}});
    ASSERT_TRUE(tree);
    const auto result = tree->shutdown(meta_);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->report.count(ChildShutdownOutcome::abort_failed), 1u);
    EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), 1u);
    EXPECT_FALSE(result->report.reconcile.clean());
    const auto& threads = result->report.reconcile.checks.at(1);
    EXPECT_THAT(threads.found, ElementsAre(StartsWith("/stuck (running for ")));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
  *release = true;
  std::this_thread::sleep_for(30ms);  // Its late report finds a closed line, not a dead tree.
}

// An actor stuck in its handler, in a system of ours or of the user.
class StuckActor : public RuntimeFixture {
 protected:
  ~StuckActor() override { *release_ = true; }

  void stop_with_a_stuck_actor(caf::actor_system* system) {
    const auto entered = std::make_shared<std::promise<void>>();
    add_actor(factories_, "endless", [this, entered](caf::event_based_actor* self, auto&&) {
      self->send(self, 1);
      return caf::behavior{[entered, release = release_](int) {
        entered->set_value();
        while (!*release)
          std::this_thread::sleep_for(5ms);
      }};
    });
    auto stuck = actor("stuck", "endless");
    stuck.policy.stop.grace = 50ms;
    auto with = options();
    with.system = system;
    auto tree = Supervisor::start({.shutdown = {.abort_wait = 50ms}, .children = {stuck}},
                                  factories_, with);
    ASSERT_TRUE(tree);
    entered->get_future().wait();
    const auto result = tree->shutdown(meta_);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->report.count(ChildShutdownOutcome::abort_failed), 1u);
    EXPECT_FALSE(result->report.reconcile.clean());
    EXPECT_EQ(result->report.reconcile.checks.at(0).found.size(), 1u);
  }

  std::shared_ptr<std::atomic<bool>> release_ = std::make_shared<std::atomic<bool>>(false);
};

TEST_F(StuckActor, IsReportedAndHoldsNothingUp) {
  const auto begun = std::chrono::steady_clock::now();
  stop_with_a_stuck_actor(nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
}

TEST_F(StuckActor, IsReportedInTheUsersSystemToo) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  stop_with_a_stuck_actor(&system);
  *release_ = true;  // This system waits for it.
}

TEST_F(SupervisorRuntime, TheLastHandleTakesTheTreeWithIt) {
  {
    auto tree = start({.children = {blocking("a")}});
    ASSERT_TRUE(tree);
  }
  EXPECT_EQ(sink_->count("/", "shutdown_completed"), 1u);
}

TEST_F(SupervisorRuntime, TheLastHandleMayGoOnAnotherThreadThanTheOneThatStarted) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  // Not joined before it is done: this thread must live on meanwhile, and a failure must not hang.
  auto gone = std::make_shared<std::promise<void>>();
  std::thread{[gone, last = std::make_unique<SupervisorHandle>(std::move(*tree))]() mutable {
    last.reset();
    gone->set_value();
  }}.detach();
  EXPECT_EQ(gone->get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(sink_->count("/", "shutdown_completed"), 1u);
}

using SupervisorRuntimeDeathTest = RuntimeFixture;

TEST_F(SupervisorRuntimeDeathTest, AHandleMayBeAStaticObject) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [this] {
    auto tree = start({.children = {blocking("a")}});
    if (!tree) std::exit(1);
    static SupervisorHandle last = std::move(*tree);
    std::exit(last.is_alive() ? 0 : 2);  // The tree is shut down by a destructor after `main`.
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "");
}

TEST_F(SupervisorRuntime, AbortEndsWithoutGrace) {
  factories_.add_blocking("slow", [](ChildContext& context) {
    context.sleep_for(1min);
    std::this_thread::sleep_for(20ms);
  });
  auto tree = start({.children = {blocking("a", "slow"), actor("b")}});
  ASSERT_TRUE(tree);
  tree->abort();
  const auto* result = tree->join_for(5s);
  ASSERT_NE(result, nullptr);
  EXPECT_TRUE(result->report.reconcile.clean());
}

TEST_F(SupervisorRuntime, AStopDuringABackoffDoesNotWaitForIt) {
  factories_.add_blocking("crash", [](ChildContext&) { throw std::runtime_error("x"); });
  auto child = blocking("a", "crash");
  child.policy.backoff.initial = 1min;
  child.policy.backoff.max = 1min;
  auto tree = launch({.start_failure = StartFailure::restart, .children = {child}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/a", "restart_decided"));
  ASSERT_TRUE(tree->request_shutdown(meta_));
  ASSERT_NE(tree->join_for(5s), nullptr);
  EXPECT_EQ(sink_->count("/a", "child_starting"), 1u);
}

TEST_F(SupervisorRuntime, TwoTreesInOneProcessDoNotKnowEachOther) {
  auto one = start({.children = {blocking("a")}});
  auto two = start({.children = {blocking("b")}});
  ASSERT_TRUE(one && two);
  ASSERT_TRUE(one->shutdown(meta_));
  EXPECT_FALSE(one->is_alive());
  EXPECT_TRUE(two->is_alive());
  const auto result = two->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->report.children.size(), 1u);
}

TEST_F(SupervisorRuntime, LivesInTheUsersActorSystem) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto with = options();
  with.system = &system;
  {
    auto tree = Supervisor::start({.children = {actor("a"), blocking("b")}}, factories_, with);
    ASSERT_TRUE(tree);
    const auto result = tree->shutdown(meta_);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->report.reconcile.clean());
  }
  // CAF takes an actor off its list just after the actor's own end.
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (system.registry().running() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(system.registry().running(), 0u);
}

TEST_F(SupervisorRuntime, TheRootFailsOnceItsLimitIsUsedUp) {
  factories_.add_blocking("crash", [](ChildContext& context) {
    context.sleep_for(5ms);
    throw ChildFailure(FailureCategory::recoverable, "told to");
  });
  auto tree = launch({.restart_limit = RestartLimit{2, 60s}, .children = {blocking("a", "crash")}});
  ASSERT_TRUE(tree);
  const auto* result = tree->join_for(10s);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(result->kind, TreeResult::Kind::failed);
  EXPECT_FALSE(result->reason.empty());
  EXPECT_EQ(sink_->count("/a", "child_starting"), 3u);
}

}  // namespace
}  // namespace espalier::supervisor::testing
