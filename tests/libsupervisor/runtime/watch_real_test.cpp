#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// Holds a supervisor in the middle of its work, as long as it wants.
class Gate final : public EventSink {
 public:
  void publish(const Event& event) override {
    if (event.path != "/held" || std::string{type_name(event.body)} != "child_stopping") return;
    std::unique_lock lock{mutex_};
    entered_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, 20s, [this] { return open_; });
  }
  bool wait_entered() {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 10s, [this] { return entered_; });
  }
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool open_ = false;
};

class Watching : public RuntimeFixture {
 protected:
  Watching() {
    factories_.add_blocking("crash", [](ChildContext& context) {
      context.sleep_for(5ms);
      throw ChildFailure(FailureCategory::recoverable, "told to");
    });
    factories_.add_blocking("crash_once", [](ChildContext& context) {
      if (context.generation() == 1) {
        context.sleep_for(20ms);
        throw std::runtime_error("only once");
      }
      while (context.sleep_for(1min)) {
      }
    });
  }
  /// False when it did not become true in time.
  template <class Condition>
  static bool comes_true(const Condition& condition) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
};

TEST_F(Watching, TheStateHasEveryNodeInOrder) {
  auto a = blocking("a");
  a.tags = {"blue"};
  a.group = "g";
  SupervisorSpec mid{.strategy = Strategy::one_for_all, .children = {actor("x"), actor("y")}};
  auto tree = start({.groups = {{.name = "g"}},
                     .config_version = "7",
                     .children = {a, subtree("mid", mid), blocking("z")}});
  ASSERT_TRUE(tree);
  const auto state = tree->current_state();
  ASSERT_TRUE(state);
  std::vector<std::string> paths;
  for (const auto& node : state->nodes)
    paths.push_back(node.path);
  EXPECT_THAT(paths, ElementsAre("/", "/a", "/mid", "/mid/x", "/mid/y", "/z"));
  EXPECT_EQ(state->config_version, "7");
  EXPECT_GT(state->sequence, 0u);
  EXPECT_EQ(state->counts.total, 5u);
  EXPECT_EQ(state->counts.ready(), 5u);
  for (const auto& node : state->nodes)
    EXPECT_EQ(node.view.phase, ChildPhase::running) << node.path;
  EXPECT_EQ(state->nodes[1].group(), "g");
  EXPECT_THAT(state->nodes[1].tags(), ElementsAre("blue"));
  ASSERT_TRUE(state->nodes[2].supervisor);
  EXPECT_EQ(state->nodes[2].supervisor->strategy, Strategy::one_for_all);
  EXPECT_EQ(state->nodes[2].supervisor->children.total, 2u);
  EXPECT_FALSE(state->nodes[1].supervisor);
}

TEST_F(Watching, APartIsAskedForByPathAndDepth) {
  SupervisorSpec low{.children = {actor("x")}};
  SupervisorSpec mid{.children = {subtree("low", low), actor("y")}};
  auto tree = start({.children = {subtree("mid", mid), actor("z")}});
  ASSERT_TRUE(tree);
  const auto size = [&](const StateQuery& query) {
    const auto state = tree->current_state(query);
    return state ? state->nodes.size() : 0;
  };
  EXPECT_EQ(size({}), 6u);
  EXPECT_EQ(size({.depth = 0}), 1u);
  EXPECT_EQ(size({.depth = 1}), 3u);
  EXPECT_EQ(size({.path = "/mid"}), 4u);
  EXPECT_EQ(size({.path = "/mid", .depth = 1}), 3u);
  EXPECT_EQ(size({.path = "/mid/low/x"}), 1u);
  EXPECT_EQ(size({.path = "/mid/lo"}), 0u);
}

TEST_F(Watching, ReadersNeverWaitForASupervisorThatIsBusy) {
  const auto gate = std::make_shared<Gate>();
  auto with = options();
  with.events.push_back(gate);
  auto tree = Supervisor::start({.children = {blocking("a"), blocking("held")}}, factories_, with);
  ASSERT_TRUE(tree);
  tree->execute({.kind = CommandKind::stop_child, .path = "/held", .meta = meta_},
                [](const CommandResult&) {});
  ASSERT_TRUE(gate->wait_entered());
  const auto begun = std::chrono::steady_clock::now();
  const auto state = tree->current_state();
  const auto counts = tree->counts();
  const auto health = tree->health();
  const auto why = tree->why("/a");
  const auto took = std::chrono::steady_clock::now() - begun;
  const auto ping = tree->ping(10ms);
  gate->open();
  EXPECT_LT(took, 2s);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->nodes.size(), 3u);
  EXPECT_EQ(state->nodes[2].view.phase, ChildPhase::stopping);
  EXPECT_EQ(counts.total, 2u);
  EXPECT_EQ(health.state, HealthReport::State::up);
  EXPECT_TRUE(why);
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, Error::Code::timed_out);
  EXPECT_TRUE(tree->ping());
}

TEST_F(Watching, HealthFollowsTheTree) {
  using State = HealthReport::State;
  auto bad = blocking("bad", "crash");
  bad.policy.restart_limit = RestartLimit{0, 60s};
  auto tree = start({.restart_limit = {}, .children = {blocking("a"), bad}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(comes_true([&] { return tree->health().state == State::degraded; }));
  ASSERT_TRUE(sink_->wait_for("/bad", "child_quarantined"));
  const auto degraded = tree->health();
  EXPECT_TRUE(degraded.alive);
  EXPECT_THAT(degraded.not_ready, ElementsAre("/bad"));
  EXPECT_EQ(degraded.counts.unready, 1u);
  ASSERT_TRUE(tree->remove_child("/bad", meta_));
  const auto up = tree->health();
  EXPECT_EQ(up.state, State::up);
  EXPECT_GE(up.since, degraded.since);
  EXPECT_THAT(up.not_ready, IsEmpty());
  ASSERT_TRUE(tree->shutdown(meta_));
  const auto stopped = tree->health();
  EXPECT_EQ(stopped.state, State::stopped);
  EXPECT_FALSE(stopped.alive);
  ASSERT_TRUE(stopped.ended);
  EXPECT_EQ(stopped.ended->report.cause, "test: done");
}

TEST_F(Watching, AnOptionalChildThatIsDownLeavesTheTreeHealthy) {
  auto extra = blocking("extra", "crash");
  extra.policy.restart_limit = RestartLimit{0, 60s};
  extra.policy.severity = SeverityClass::optional;
  extra.role = WorkRole::worker;
  auto tree = start({.restart_limit = {}, .children = {blocking("a"), extra}});
  ASSERT_TRUE(tree);
  const auto node = [&] { return tree->current_state({.path = "/extra"})->nodes.front(); };
  ASSERT_TRUE(comes_true([&] { return node().view.phase == ChildPhase::quarantined; }));
  EXPECT_EQ(node().severity(), SeverityClass::optional);
  EXPECT_EQ(node().role(), WorkRole::worker);
  const auto health = tree->health();
  EXPECT_EQ(health.state, HealthReport::State::up);
  EXPECT_THAT(health.not_ready, IsEmpty());
}

TEST_F(Watching, HealthSaysStartingAndStopping) {
  using State = HealthReport::State;
  auto slow = blocking("slow");
  slow.policy.readiness = Readiness::explicit_report;
  factories_.add_blocking("stubborn", [](ChildContext& context) {
    while (context.sleep_for(1min)) {
    }
    std::this_thread::sleep_for(100ms);
  });
  slow.factory = "stubborn";
  auto tree = launch({.children = {slow}});
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->health().state, State::starting);
  ASSERT_TRUE(sink_->wait_for("/slow", "child_running"));
  ASSERT_TRUE(tree->request_shutdown(meta_));
  ASSERT_TRUE(sink_->wait_for("/slow", "child_stopping"));
  EXPECT_EQ(tree->health().state, State::stopping);
  ASSERT_NE(tree->join_for(10s), nullptr);
}

TEST_F(Watching, WhyNamesTheSiblingWhoseFailureItWas) {
  auto tree = start({.strategy = Strategy::one_for_all,
                     .children = {blocking("a", "crash_once"), blocking("b")}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/b", "child_running", 2));
  const auto why = tree->why("/b");
  ASSERT_TRUE(why);
  EXPECT_THAT(why->sentence, StartsWith("/b was restarted because /a failed: /a: permanent, "));
  EXPECT_THAT(why->sentence, HasSubstr("only once"));
  EXPECT_FALSE(why->decision);
  EXPECT_TRUE(why->complete);
  const auto own = tree->why("/a");
  ASSERT_TRUE(own && own->decision);
  EXPECT_EQ(own->sentence, explain("/a", *own->decision));
  EXPECT_STREQ(type_name(own->chain.front().body), "restart_decided");
  EXPECT_STREQ(type_name(own->chain.back().body), "child_exited");
}

TEST_F(Watching, WhyFollowsAnEscalationAcrossTheTree) {
  SupervisorSpec low{.restart_limit = RestartLimit{0, 60s},
                     .children = {blocking("x", "crash_once")}};
  auto tree =
      start({.strategy = Strategy::one_for_all, .children = {subtree("low", low), blocking("b")}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/b", "child_running", 2));
  const auto why = tree->why("/b");
  ASSERT_TRUE(why);
  EXPECT_TRUE(why->complete);
  std::vector<std::string> links;
  for (const auto& event : why->chain)
    links.push_back(event.path + " " + type_name(event.body));
  ASSERT_FALSE(links.empty());
  EXPECT_EQ(links.front(), "/b child_stopping");
  EXPECT_EQ(links.back(), "/low/x child_exited");
  EXPECT_THAT(links, ::testing::Contains("/low restart_decided"));
  EXPECT_THAT(why->sentence, StartsWith("/b was restarted because /low "));
}

TEST_F(Watching, WhyTellsOfACommandAndOfNothing) {
  auto tree = start({.children = {blocking("a"), blocking("b")}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(tree->pause_child("/a", {"ann", "upgrade of the disk"}));
  const auto paused = tree->why("/a");
  ASSERT_TRUE(paused);
  EXPECT_THAT(paused->sentence,
              HasSubstr("by a command: pause_child by ann (upgrade of the disk)"));
  const auto calm = tree->why("/b");
  ASSERT_TRUE(calm);
  EXPECT_THAT(calm->sentence, StartsWith("/b has never failed"));
  EXPECT_EQ(tree->why("/c").error().code, Error::Code::not_found);
}

TEST_F(Watching, ASubscriptionHearsWhatItAskedForUntilTheEnd) {
  auto tree = start({.children = {blocking("a"), blocking("b")}});
  ASSERT_TRUE(tree);
  const auto heard = tree->subscribe_events({.path = "/a"});
  ASSERT_TRUE(tree->restart_child("/b", meta_));
  ASSERT_TRUE(tree->restart_child("/a", meta_));
  ASSERT_TRUE(tree->shutdown(meta_));
  std::vector<std::string> paths;
  while (const auto event = heard.next(10s)) {
    const auto* const command = std::get_if<events::CommandDone>(&event->body);
    paths.push_back(command ? command->child : event->path);
  }
  EXPECT_TRUE(heard.closed());
  EXPECT_THAT(paths, Not(IsEmpty()));
  EXPECT_THAT(paths, Each("/a"));
  EXPECT_EQ(heard.dropped(), 0u);
}

TEST_F(Watching, ASlowSubscriberLosesEventsAndTheTreeGoesOn) {
  auto tree = start({.children = {blocking("a")}});
  ASSERT_TRUE(tree);
  const auto slow = tree->subscribe_events({}, 3);
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(tree->restart_child("/a", meta_));
  ASSERT_TRUE(tree->shutdown(meta_));
  EXPECT_GT(slow.dropped(), 10u);
  int got = 0;
  while (slow.next(0s))
    ++got;
  EXPECT_EQ(got, 3);
}

TEST_F(Watching, AMeltdownAndAnEscalationAreSummedUp) {
  auto tree = launch({.restart_limit = RestartLimit{1, 60s}, .children = {blocking("a", "crash")}});
  ASSERT_TRUE(tree);
  ASSERT_NE(tree->join_for(10s), nullptr);
  std::vector<std::string> occasions;
  for (const auto& body : sink_->bodies<events::RunSummarized>("/"))
    occasions.push_back(body.summary->occasion);
  EXPECT_THAT(occasions, ::testing::IsSupersetOf({"meltdown", "escalation", "shutdown"}));
  const auto summary = tree->summary();
  EXPECT_EQ(summary.occasion, "shutdown");
  EXPECT_EQ(summary.state, "failed");
  EXPECT_EQ(summary.failures, 2u);
  EXPECT_EQ(summary.restarts, 1u);
  EXPECT_THAT(summary.recent_failures, Each(HasSubstr("told to")));
  EXPECT_THAT(summary.final_decision, StartsWith("/a: "));
}

TEST_F(Watching, AShutdownThatRanOutOfTimeIsSummedUpToo) {
  factories_.add_blocking("late", [](ChildContext& context) {
    while (context.sleep_for(1min)) {
    }
    std::this_thread::sleep_for(100ms);
  });
  auto late = blocking("late", "late");
  late.policy.stop.grace = 10ms;
  auto tree = start({.children = {late}});
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->summary().occasion, "running");
  EXPECT_EQ(tree->summary().state, "running");
  ASSERT_TRUE(tree->shutdown(meta_));
  const auto bodies = sink_->bodies<events::RunSummarized>("/");
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_EQ(bodies[0].summary->occasion, "shutdown_timeout");
  EXPECT_EQ(bodies[0].summary->state, "stopping");
  EXPECT_EQ(bodies[1].summary->occasion, "shutdown");
  EXPECT_EQ(bodies[1].summary->cause, "test: done");
}

// A reader that copies all day long, while children come and go.
TEST_F(Watching, ManyReadersAndWritersAgree) {
  auto tree = start({.children = {subtree("pool", {.children = {actor("first")}})}});
  ASSERT_TRUE(tree);
  std::atomic<bool> stop = false;
  std::thread reader{[&] {
    while (!stop) {
      const auto state = tree->current_state();
      if (!state || state->nodes.size() < 3) ADD_FAILURE() << "a child is missing";
      static_cast<void>(tree->health());
    }
  }};
  for (int round = 0; round < 20; ++round) {
    const auto name = "w" + std::to_string(round % 3);
    ASSERT_TRUE(tree->add_child("/pool", actor(name), meta_));
    ASSERT_TRUE(tree->remove_child("/pool/" + name, meta_));
  }
  stop = true;
  reader.join();
  EXPECT_EQ(tree->counts().total, 2u);
  EXPECT_EQ(tree->counts().ready(), 2u);
}

}  // namespace
}  // namespace espalier::supervisor::testing
