#include "espalier/async.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Awaitable = asio::awaitable<void>;

std::ptrdiff_t threads_now() {
  using Iterator = std::filesystem::directory_iterator;
  return std::distance(Iterator{"/proc/self/task"}, Iterator{});
}

class AsyncRuntime : public RuntimeFixture {
 protected:
  AsyncRuntime() {
    add_async(factories_, "sleeper",
              [](AsyncContext& context) -> Awaitable { co_await context.sleep(1h); });
  }

  static ChildSpec async(const std::string& name, const std::string& factory = "sleeper") {
    auto result = blocking(name, factory);
    result.kind = ChildKind::async;
    return result;
  }
  static ChildSpec once(const std::string& name, const std::string& factory) {
    auto result = async(name, factory);
    result.policy.restart = RestartType::temporary;
    return result;
  }
  /// How the one attempt of a temporary child ended.
  ExitRecord exit_of(const std::string& factory) {
    auto tree = start({.children = {once("a", factory), async("b")}});
    if (!tree) {
      ADD_FAILURE() << tree.error().message;
      return {};
    }
    EXPECT_TRUE(sink_->wait_for("/a", "child_exited"));
    EXPECT_TRUE(tree->shutdown(meta_));
    const auto exits = sink_->bodies<events::ChildExited>("/a");
    return exits.empty() ? ExitRecord{} : exits.front().exit;
  }
  static const ReconcileCheck* find(const ShutdownReport& report, const std::string& what) {
    for (const auto& check : report.reconcile.checks) {
      if (check.what == what) return &check;
    }
    return nullptr;
  }
  static ChildShutdownOutcome outcome(const ShutdownReport& report, const std::string& path) {
    for (const auto& child : report.children) {
      if (child.path == path) return child.outcome;
    }
    ADD_FAILURE() << "no status of " << path;
    return {};
  }
};

TEST_F(AsyncRuntime, AStopEndsASleepAtOnce) {
  auto tree = start({.children = {async("a"), async("b")}});
  ASSERT_TRUE(tree) << tree.error().message;
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_LT(result->report.took, quick_policy().stop.grace);
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), 2u);
  const auto* check = find(result->report, "coroutines");
  ASSERT_NE(check, nullptr);
  EXPECT_EQ(check->checked, 2u);
}

TEST_F(AsyncRuntime, ReturningIsCompleting) {
  add_async(factories_, "returns",
            [](AsyncContext& context) -> Awaitable { co_await context.sleep(1ms); });
  EXPECT_EQ(exit_of("returns").kind, ExitKind::completed);
}

TEST_F(AsyncRuntime, AFailureKeepsItsCategoryAndText) {
  add_async(factories_, "fails", [](AsyncContext& context) -> Awaitable {
    co_await context.sleep(1ms);
    throw ChildFailure(FailureCategory::external_dependency, "no database");
  });
  const auto exit = exit_of("fails");
  EXPECT_EQ(exit.kind, ExitKind::failed);
  EXPECT_EQ(exit.category, FailureCategory::external_dependency);
  EXPECT_EQ(exit.message, "no database");
}

TEST_F(AsyncRuntime, AnyOtherExceptionIsAPanic) {
  add_async(factories_, "panics", [](AsyncContext& context) -> Awaitable {
    co_await context.sleep(1ms);
    throw std::runtime_error("no such table");
  });
  const auto exit = exit_of("panics");
  EXPECT_EQ(exit.kind, ExitKind::panicked);
  EXPECT_EQ(exit.message, "no such table");
}

TEST_F(AsyncRuntime, ThrowingBeforeTheFirstSuspensionIsTheSame) {
  add_async(factories_, "at_once", [](AsyncContext&) -> Awaitable {
    throw std::runtime_error("from the start");
    co_return;
  });
  EXPECT_EQ(exit_of("at_once").message, "from the start");
  add_async(factories_, "no_coroutine", [](AsyncContext&) -> Awaitable {
    throw ChildFailure(FailureCategory::fatal_config, "no parameter");
  });
  sink_ = std::make_shared<RecordingSink>();
  const auto exit = exit_of("no_coroutine");
  EXPECT_EQ(exit.kind, ExitKind::failed);
  EXPECT_EQ(exit.category, FailureCategory::fatal_config);
}

TEST_F(AsyncRuntime, CancellationThatNobodyAskedForIsAPanic) {
  add_async(factories_, "own_goal", [](AsyncContext& context) -> Awaitable {
    co_await context.sleep(1ms);
    throw boost::system::system_error(asio::error::operation_aborted);
  });
  EXPECT_EQ(exit_of("own_goal").kind, ExitKind::panicked);
}

TEST_F(AsyncRuntime, EachAttemptCallsTheFunctionAnew) {
  auto calls = std::make_shared<std::atomic<int>>(0);
  add_async(factories_, "third_time", [calls](AsyncContext& context) -> Awaitable {
    if (++*calls < 3) throw std::runtime_error("not yet");
    co_await context.sleep(1h);
  });
  auto tree = start({.children = {async("a", "third_time")}});
  ASSERT_TRUE(tree);
  EXPECT_TRUE(sink_->wait_for("/a", "child_running", 3));
  ASSERT_TRUE(tree->shutdown(meta_));
  EXPECT_EQ(*calls, 3);
}

TEST_F(AsyncRuntime, ReportsReachTheSupervisor) {
  add_async(factories_, "talks", [](AsyncContext& context) -> Awaitable {
    context.report_status("warming up of " + context.path());
    co_await context.sleep(20ms);
    context.report_ready();
    for (;;) {
      context.report_alive();
      co_await context.sleep(context.heartbeat_interval());
    }
  });
  auto talks = async("a", "talks");
  talks.policy.readiness = Readiness::explicit_report;
  talks.policy.watchdog = 500ms;
  auto after = async("b");
  after.dependencies = {"a"};
  auto tree = start({.children = {talks, after}});
  ASSERT_TRUE(tree) << tree.error().message;
  std::this_thread::sleep_for(1200ms);
  ASSERT_TRUE(tree->shutdown(meta_));
  const auto status = sink_->bodies<events::ChildStatusText>("/a");
  ASSERT_FALSE(status.empty());
  EXPECT_EQ(status.front().text, "warming up of /a");
  EXPECT_EQ(sink_->count("/a", "child_running"), 1u) << "its heartbeat kept it";
}

TEST_F(AsyncRuntime, OneThatFallsSilentIsReplaced) {
  auto silent = async("a");
  silent.policy.watchdog = 100ms;
  auto tree = start({.children = {silent}});
  ASSERT_TRUE(tree);
  EXPECT_TRUE(sink_->wait_for("/a", "child_running", 2));
  ASSERT_TRUE(tree->shutdown(meta_));
}

TEST_F(AsyncRuntime, AStopReachesOneThatIsBetweenTwoWaits) {
  add_async(factories_, "busy", [](AsyncContext& context) -> Awaitable {
    for (;;)
      co_await context.sleep(0ns);
  });
  for (int i = 0; i < 20; ++i) {
    auto tree = start({.children = {async("a", "busy"), async("b", "busy")}});
    ASSERT_TRUE(tree);
    const auto result = tree->shutdown(meta_);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), 2u);
  }
}

// A wait for its turn cannot be cancelled: a signal that comes then is lost.
TEST_F(AsyncRuntime, AStopReachesOneThatCouldNotHearItAtFirst) {
  add_async(factories_, "deaf", [](AsyncContext& context) -> Awaitable {
    while (!context.stop_requested())
      std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(20ms);  // The signal waits behind us now.
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_await context.sleep(1h);
  });
  auto tree = start({.children = {async("a", "deaf")}});
  ASSERT_TRUE(tree);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), 1u);
}

TEST_F(AsyncRuntime, AStopThatComesFirstIsNotLost) {
  for (int i = 0; i < 50; ++i) {
    auto tree = launch({.children = {async("a"), async("b"), async("c")}});
    ASSERT_TRUE(tree);
    ASSERT_TRUE(tree->request_shutdown(meta_));
    const auto* result = tree->join_for(5s);
    ASSERT_NE(result, nullptr);
    EXPECT_TRUE(result->report.reconcile.clean());
  }
}

TEST_F(AsyncRuntime, StopRequestedIsSeenWithoutAWait) {
  add_async(factories_, "polls", [](AsyncContext& context) -> Awaitable {
    while (!context.stop_requested())
      std::this_thread::sleep_for(1ms);
    co_return;
  });
  auto tree = start({.children = {async("a", "polls"), async("b", "polls")}});
  ASSERT_TRUE(tree);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), 2u);
}

Awaitable wind_up(AsyncContext& context, std::atomic<bool>& done, Duration takes) {
  try {
    co_await context.sleep(1h);
  } catch (const boost::system::system_error&) {
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await context.sleep(takes);
  done = true;
}

TEST_F(AsyncRuntime, ACoroutineMayWaitOnItsWayOut) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  add_async(factories_, "winds_up", [done](AsyncContext& context) -> Awaitable {
    co_await wind_up(context, *done, 300ms);
  });
  auto tree = start({.children = {async("a", "winds_up")}});
  ASSERT_TRUE(tree);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_TRUE(*done);
  EXPECT_EQ(outcome(result->report, "/a"), ChildShutdownOutcome::graceful);
}

TEST_F(AsyncRuntime, AnAbortEndsThatWaitToo) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  add_async(factories_, "winds_up",
            [done](AsyncContext& context) -> Awaitable { co_await wind_up(context, *done, 1h); });
  auto slow = async("a", "winds_up");
  slow.policy.stop.grace = 50ms;
  auto tree = start({.children = {slow}});
  ASSERT_TRUE(tree);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_FALSE(*done);
  EXPECT_EQ(outcome(result->report, "/a"), ChildShutdownOutcome::aborted);
  EXPECT_TRUE(result->report.reconcile.clean());
}

/// Tells when it goes.
struct Farewell {
  std::shared_ptr<std::atomic<bool>> said = {};
  ~Farewell() {
    if (said) *said = true;
  }
};

Awaitable swallow(AsyncContext& context, std::shared_ptr<std::atomic<bool>> gone) {
  const Farewell last{std::move(gone)};
  for (;;) {
    try {
      co_await context.sleep(1h);
    } catch (const std::exception&) {
    }
  }
}

TEST_F(AsyncRuntime, OneThatSwallowsItsCancellationIsNamedAndDestroyed) {
  auto gone = std::make_shared<std::atomic<bool>>(false);
  add_async(factories_, "deaf",
            [gone](AsyncContext& context) -> Awaitable { co_await swallow(context, gone); });
  auto deaf = async("a", "deaf");
  deaf.policy.stop.grace = 50ms;
  SupervisorSpec spec{.children = {deaf, async("b")}};
  spec.shutdown.abort_wait = 100ms;
  auto tree = start(spec);
  ASSERT_TRUE(tree);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(outcome(result->report, "/a"), ChildShutdownOutcome::abort_failed);
  EXPECT_EQ(outcome(result->report, "/b"), ChildShutdownOutcome::graceful);
  const auto* check = find(result->report, "coroutines");
  ASSERT_NE(check, nullptr);
  ASSERT_EQ(check->found.size(), 1u);
  EXPECT_THAT(check->found.front(), StartsWith("/a (running for "));
  EXPECT_EQ(check->note, "ignored its cancellation: destroyed");
  EXPECT_TRUE(*gone);
}

TEST_F(AsyncRuntime, OneThatBlocksIsNamedAndTheTreeEnds) {
  auto let = std::make_shared<std::promise<void>>();
  auto open = let->get_future().share();
  add_async(factories_, "blocks", [open](AsyncContext&) -> Awaitable {
    open.wait();
    co_return;
  });
  auto blocks = async("a", "blocks");
  blocks.policy.stop.grace = 50ms;
  SupervisorSpec spec{.children = {blocks, async("b")}};
  spec.shutdown.abort_wait = 100ms;
  auto tree = start(spec);
  ASSERT_TRUE(tree);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(outcome(result->report, "/b"), ChildShutdownOutcome::graceful)
      << "the pool has a second thread";
  const auto* check = find(result->report, "coroutines");
  ASSERT_NE(check, nullptr);
  EXPECT_THAT(check->found, Contains(StartsWith("/a ")));
  EXPECT_THAT(check->note, HasSubstr("orphaned"));
  let->set_value();
}

TEST_F(AsyncRuntime, AThousandThatWaitCostNoThread) {
  const auto threads_with = [this](std::size_t children) {
    SupervisorSpec spec;
    for (std::size_t i = 0; i < children; ++i)
      spec.children.push_back(async("c" + std::to_string(i)));
    auto tree = start(spec);
    if (!tree) throw std::runtime_error(tree.error().message);
    const auto threads = threads_now();
    const auto result = tree->shutdown(meta_);
    EXPECT_TRUE(result && result->report.reconcile.clean());
    EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), children);
    return threads;
  };
  const auto with_one = threads_with(1);
  EXPECT_LE(threads_with(1001), with_one);
}

TEST_F(AsyncRuntime, TheExecutorKeepsWhatRunsOnItFromRunningBesideTheCoroutine) {
  auto overlaps = std::make_shared<std::atomic<int>>(0);
  add_async(factories_, "posts", [overlaps](AsyncContext& context) -> Awaitable {
    auto inside = std::make_shared<std::atomic<bool>>(false);
    const auto enter = [inside, overlaps] {
      if (inside->exchange(true)) ++*overlaps;
      std::this_thread::yield();
      *inside = false;
    };
    for (int i = 0; i < 500; ++i) {
      asio::post(context.executor(), enter);
      enter();
      co_await context.sleep(0ns);
    }
  });
  EXPECT_EQ(exit_of("posts").kind, ExitKind::completed);
  EXPECT_EQ(*overlaps, 0);
}

TEST_F(AsyncRuntime, AnUnknownFactoryStartsNothing) {
  const auto tree = start({.children = {async("a", "nobody")}});
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("unknown factory 'nobody'"));
}

}  // namespace
}  // namespace espalier::supervisor::testing
