#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> life_types = {"child_exited", "child_starting"};

class ProcessTree : public RuntimeFixture {
 protected:
  static ChildSpec sleeper(const std::string& name) { return command(name, {"sleep", "1000"}); }

  /// Kills "/b" of a, b, c and gives the exits and starts that follow, in order.
  std::vector<std::string> after_the_death_of_b(Strategy strategy) {
    auto tree =
        start({.strategy = strategy, .children = {sleeper("a"), sleeper("b"), sleeper("c")}});
    if (!tree) return {tree.error().message};
    const auto before = sink_->lines(life_types).size();
    ::kill(static_cast<pid_t>(pid_of("/b")), SIGKILL);
    EXPECT_TRUE(sink_->wait_for("/b", "child_ready", 2));
    const auto last = strategy == Strategy::one_for_one ? "/b" : "/c";
    EXPECT_TRUE(sink_->wait_for(last, "child_ready", 2));
    auto lines = sink_->lines(life_types);
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(before));
    EXPECT_TRUE(tree->shutdown(meta_));
    return lines;
  }
};

TEST_F(ProcessTree, OneForOneRestartsTheOneThatDied) {
  EXPECT_THAT(after_the_death_of_b(Strategy::one_for_one),
              ElementsAre("/b child_exited", "/b child_starting"));
  const auto exits = sink_->bodies<events::ChildExited>("/b");
  ASSERT_FALSE(exits.empty());
  EXPECT_EQ(exits[0].exit.kind, ExitKind::signalled);
  EXPECT_EQ(exits[0].exit.signal, SIGKILL);
}

TEST_F(ProcessTree, OneForAllStopsTheOthersInReverseAndStartsAll) {
  EXPECT_THAT(after_the_death_of_b(Strategy::one_for_all),
              ElementsAre("/b child_exited", "/c child_exited", "/a child_exited",
                          "/a child_starting", "/b child_starting", "/c child_starting"));
}

TEST_F(ProcessTree, RestForOneTakesThoseStartedAfterIt) {
  EXPECT_THAT(
      after_the_death_of_b(Strategy::rest_for_one),
      ElementsAre("/b child_exited", "/c child_exited", "/b child_starting", "/c child_starting"));
}

TEST_F(ProcessTree, TheNextChildWaitsForReadiness) {
  auto first = command("a", {"python3", "-c",
                             "import os,socket,time\n"
                             "time.sleep(0.1)\n"
                             "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
                             "n=os.environ['NOTIFY_SOCKET']\n"
                             "s.connect('\\0'+n[1:] if n[0]=='@' else n)\n"
                             "s.send(b'READY=1')\n"
                             "time.sleep(1000)\n"});
  first.policy.readiness = Readiness::explicit_report;
  auto tree = start({.children = {first, sleeper("b")}});
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_THAT(
      sink_->lines({"child_ready", "child_starting"}),
      ElementsAre("/a child_starting", "/a child_ready", "/b child_starting", "/b child_ready"));
  EXPECT_TRUE(tree->shutdown(meta_));
}

TEST_F(ProcessTree, AChildThatIgnoresSigtermIsAborted) {
  auto deaf = shell("deaf", "trap '' TERM; while :; do sleep 0.05; done");
  deaf.policy.stop.grace = 100ms;
  auto tree = start({.children = {deaf, sleeper("fine")}});
  ASSERT_TRUE(tree);
  std::this_thread::sleep_for(200ms);  // The trap has to be set before it can be ignored.
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->report.count(ChildShutdownOutcome::aborted), 1u);
  EXPECT_EQ(result->report.count(ChildShutdownOutcome::graceful), 1u);
  EXPECT_TRUE(result->report.reconcile.clean());
}

TEST_F(ProcessTree, AnUnknownCommandIsAFailedStartThatSaysSo) {
  const auto tree = start({.children = {sleeper("a"), command("b", {"no-such-program-here"})}});
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().code, Error::Code::start_failed);
  EXPECT_THAT(tree.error().message, HasSubstr("no-such-program-here"));
}

TEST_F(ProcessTree, ACrashLoopEndsInQuarantineAndTheSiblingLives) {
  auto loop = shell("loop", "exit 3");
  loop.policy.restart_limit = RestartLimit{2, 60s};
  auto tree = launch({.start_failure = StartFailure::restart, .children = {loop, sleeper("b")}});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/loop", "child_quarantined"));
  EXPECT_EQ(sink_->count("/loop", "child_starting"), 3u);
  ASSERT_TRUE(sink_->wait_for("/b", "child_ready"));
  EXPECT_EQ(sink_->count("/b", "child_exited"), 0u);
  EXPECT_TRUE(tree->shutdown(meta_));
}

TEST_F(ProcessTree, EscalatesThroughThreeLevels) {
  auto loop = shell("loop", "sleep 0.05; exit 3");
  SupervisorSpec low{.restart_limit = RestartLimit{1, 60s}, .children = {loop}};
  SupervisorSpec mid{.restart_limit = RestartLimit{0, 60s}, .children = {subtree("low", low)}};
  SupervisorSpec root{.restart_limit = RestartLimit{0, 60s},
                      .children = {subtree("mid", mid), sleeper("other")}};
  auto tree = launch(root);
  ASSERT_TRUE(tree);
  const auto* result = tree->join_for(10s);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(result->kind, TreeResult::Kind::failed);
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_EQ(sink_->lines({"escalated"}).size(), 3u);
}

TEST_F(ProcessTree, AStopDuringAScopeRestartStartsNothingMore) {
  auto slow = shell("c", "trap 'sleep 0.3; exit 0' TERM; while :; do sleep 0.02; done");
  auto tree =
      start({.strategy = Strategy::one_for_all, .children = {sleeper("a"), sleeper("b"), slow}});
  ASSERT_TRUE(tree);
  std::this_thread::sleep_for(200ms);
  ::kill(static_cast<pid_t>(pid_of("/b")), SIGKILL);
  ASSERT_TRUE(sink_->wait_for("/c", "child_stopping"));
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_EQ(sink_->lines({"child_starting"}).size(), 3u);
  EXPECT_TRUE(result->report.reconcile.clean());
}

TEST_F(ProcessTree, OutputGoesToItsSinkWithPathAndGeneration) {
  struct Lines : OutputSink {
    void write(const OutputLine& line) override {
      const std::lock_guard lock{mutex};
      all.push_back(line);
    }
    std::mutex mutex;
    std::vector<OutputLine> all;
  };
  const auto lines = std::make_shared<Lines>();
  auto with = options();
  with.output = lines;
  auto once = shell("a", "echo hello; echo sorry >&2");
  once.policy.restart = RestartType::temporary;
  auto tree = Supervisor::start({.children = {once}}, factories_, with);
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/a", "child_exited"));
  ASSERT_TRUE(tree->shutdown(meta_));
  ASSERT_EQ(lines->all.size(), 2u);
  std::vector<std::string> texts;
  for (const auto& line : lines->all) {
    EXPECT_EQ(line.path, "/a");
    EXPECT_EQ(line.generation, 1u);
    texts.push_back((line.is_stderr ? "err " : "out ") + line.text);
  }
  EXPECT_THAT(texts, ::testing::UnorderedElementsAre("out hello", "err sorry"));
}

TEST_F(ProcessTree, OutputThatNobodyCanTakeDoesNoHarm) {
  struct Throwing : OutputSink {
    void write(const OutputLine&) override { throw std::runtime_error("full"); }
  };
  auto with = options();
  with.output = std::make_shared<Throwing>();
  auto once = shell("a", "echo hello; exit 0");
  once.policy.restart = RestartType::temporary;
  auto tree = Supervisor::start({.children = {once}}, factories_, with);
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/a", "child_exited"));
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->report.reconcile.clean());
}

}  // namespace
}  // namespace espalier::supervisor::testing
