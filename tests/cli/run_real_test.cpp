#include "cli/running_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <regex>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const char* const minimal_tree = R"(supervisor: {name: tiny}
children:
  - {name: sleeper, command: [sleep, infinity]}
  - {name: worker, kind: blocking, factory: builtin.idle}
)";

std::string tree_with(const std::string& children, const std::string& supervisor = "{name: t}") {
  return "supervisor: " + supervisor + "\nshutdown: {abort_wait: 300ms}\nchildren:\n" + children;
}

class RunTest : public testing::Test {
 protected:
  std::string tree(const std::string& text) { return folder_.write("tree.yaml", text); }
  std::string events() const { return read_file(events_); }
  bool wait_for_event(const std::string& text) const {
    return eventually([&] { return events().find(text) != std::string::npos; });
  }
  std::vector<std::string> run(const std::string& text) {
    return {"run", tree(text), "--events", events_, "--log-format", "text"};
  }
  TempFolder folder_;
  std::string events_ = folder_.path("events.ndjson");
};

TEST_F(RunTest, SigtermStopsInOrderAndTheEventsTellAllOfIt) {
  RunningProgram program(folder_, run(minimal_tree));
  ASSERT_TRUE(wait_for_event("\"tree_started\"")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0) << program.err();
  const std::string all = events();
  EXPECT_LT(all.find("\"tree_starting\""), all.find("\"tree_started\""));
  EXPECT_THAT(all, AllOf(HasSubstr("\"shutdown_requested\""), HasSubstr("\"shutdown_completed\"")));
  EXPECT_THAT(program.err(), HasSubstr("2 graceful"));
  EXPECT_EQ(program.out(), "");
}

TEST_F(RunTest, EventsOnStandardOutputAreAloneThere) {
  RunningProgram program(folder_, {"run", tree(minimal_tree), "--events", "-"});
  ASSERT_TRUE(eventually([&] { return program.out().find("tree_started") != std::string::npos; }))
      << program.err();
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 0);
  std::size_t lines = 0;
  std::string rest = program.out();
  EXPECT_EQ(rest.back(), '\n');
  for (std::size_t end = 0; (end = rest.find('\n')) != std::string::npos; ++lines) {
    const std::string line = rest.substr(0, end);
    EXPECT_TRUE(line.front() == '{' && line.back() == '}') << line;
    rest.erase(0, end + 1);
  }
  EXPECT_GT(lines, 8U);
  std::string err = program.err();
  EXPECT_EQ(err.front(), '{') << "auto is JSON where standard error is no terminal: " << err;
  EXPECT_EQ(err.find("\x1b["), std::string::npos);
}

TEST_F(RunTest, ABadFileIsSixWithAllPositions) {
  const std::string file = tree(
      "supervisor: {name: t, strategie: one_for_one}\nchildren:\n"
      "  - {name: a, kind: blocking, factory: builtin.idel}\n");
  for (const char* command : {"check", "run"}) {
    RunningProgram program(folder_, {command, file});
    EXPECT_EQ(program.wait(), 6);
    EXPECT_THAT(program.err(), AllOf(HasSubstr(file + ":1:23"), HasSubstr(file + ":3:"),
                                     HasSubstr("strategy"), HasSubstr("builtin.idle")));
    EXPECT_EQ(program.out(), "");
  }
}

TEST_F(RunTest, AMissingCommandIsRefusedWhereItStandsAndNothingStarts) {
  const std::string witness = folder_.path("started");
  const std::string file = tree("children:\n  - {name: a, command: [touch, " + witness + "]}\n" +
                                "  - name: b\n    command: [no-such-program-here]\n" +
                                "  - {name: c, command: [cat], cwd: /no/such/folder}\n" +
                                "  - {name: d, command: [cat], user: no-such-user}\n");
  for (const char* command : {"check", "run"}) {
    RunningProgram program(folder_, {command, file});
    EXPECT_EQ(program.wait(), 6);
    EXPECT_TRUE(
        std::regex_search(program.err(), std::regex("tree.yaml:[34]:\\d+: .*no-such-program-here")))
        << program.err();
    EXPECT_THAT(program.err(), AllOf(HasSubstr("/no/such/folder"), HasSubstr("no-such-user"),
                                     HasSubstr("3 problems")));
  }
  EXPECT_NE(access(witness.c_str(), F_OK), 0) << "something was started";
}

TEST_F(RunTest, CheckPrintsTreeAndStartOrder) {
  RunningProgram program(folder_, {"check", tree(minimal_tree)});
  EXPECT_EQ(program.wait(), 0) << program.err();
  EXPECT_THAT(program.out(), AllOf(HasSubstr("tiny"), HasSubstr("1. /sleeper"),
                                   HasSubstr("2. /worker"), HasSubstr("sleep infinity")));
}

TEST_F(RunTest, ASecondSignalEndsEverythingAtOnce) {
  RunningProgram program(
      folder_, run(tree_with("  - name: deaf\n    command: [sh, -c, \"trap '' TERM; echo deaf; "
                             "while :; do sleep 1; done\"]\n    graceful_timeout: 60s\n")));
  ASSERT_TRUE(program.wait_for_err("deaf")) << program.err();
  ASSERT_TRUE(wait_for_event("\"pid\":"));  // The child may speak before it is told of.
  std::smatch match;
  const std::string all = events();
  ASSERT_TRUE(std::regex_search(all, match, std::regex("\"pid\":(\\d+)"))) << all;
  const pid_t child = std::stoi(match[1]);
  program.signal(SIGTERM);
  ASSERT_TRUE(wait_for_event("\"shutdown_requested\""));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(std::chrono::seconds{5}), 130) << program.err();
  EXPECT_TRUE(eventually([&] { return !is_alive(child); }));
}

TEST_F(RunTest, ACrashLoopEndsInQuarantineAndSaysWhy) {
  RunningProgram program(folder_,
                         run(tree_with("  - name: loop\n    command: [sh, -c, 'exit 7']\n"
                                       "    backoff: {initial: 10ms, max: 20ms, jitter: none}\n"
                                       "    child_restart_limit: {max_restarts: 3, window: 60s, "
                                       "on_exhausted: quarantine}\n")));
  ASSERT_TRUE(wait_for_event("\"child_quarantined\"")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(program.err(),
              AllOf(HasSubstr("quarantine"), HasSubstr("/loop"), HasSubstr("exit code 7")));
}

TEST_F(RunTest, ARootThatGivesUpIsTen) {
  RunningProgram program(
      folder_, run(tree_with("  - name: loop\n    command: [sh, -c, 'sleep 0.05; exit 7']\n"
                             "    backoff: {initial: 10ms, max: 20ms, jitter: none}\n"
                             "    child_restart_limit: {max_restarts: 50, window: 60s}\n",
                             "{name: t, restart_limit: {max_restarts: 2, window: 60s}}")));
  EXPECT_EQ(program.wait(), 10) << program.err();
  EXPECT_THAT(program.err(), HasSubstr("gave up"));
}

TEST_F(RunTest, AChildThatCannotBeEndedIsElevenAndNamed) {
  RunningProgram program(
      folder_, run(tree_with("  - name: mule\n    kind: blocking\n"
                             "    factory: builtin.stubborn\n    graceful_timeout: 200ms\n")));
  ASSERT_TRUE(wait_for_event("\"tree_started\"")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 11) << program.err();
  EXPECT_THAT(program.err(), AllOf(HasSubstr("/mule"), HasSubstr("orphan")));
}

TEST_F(RunTest, AWrongParameterOfABuiltinIsToldWithItsSentence) {
  RunningProgram program(
      folder_, run(tree_with("  - name: clock\n    kind: blocking\n    factory: builtin.ticker\n"
                             "    params: {interval: soon}\n")));
  EXPECT_TRUE(wait_for_event("parameter 'interval' is 'soon'")) << program.err();
  program.signal(SIGTERM);
  EXPECT_GE(program.wait(), 0);
}

TEST_F(RunTest, HangupReloadsTheFileAndSaysWhatItDid) {
  RunningProgram program(folder_, run(minimal_tree));
  ASSERT_TRUE(wait_for_event("\"tree_started\"")) << program.err();
  tree(std::string(minimal_tree) + "  - {name: newcomer, command: [sleep, infinity]}\n");
  program.signal(SIGHUP);
  EXPECT_TRUE(program.wait_for_err("reload: start /newcomer")) << program.err();
  EXPECT_TRUE(program.wait_for_err("reload: done")) << program.err();
  program.signal(SIGHUP);
  EXPECT_TRUE(program.wait_for_err("reload: nothing to do")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(RunTest, HangupWithABadFileChangesNothing) {
  RunningProgram program(folder_, run(minimal_tree));
  ASSERT_TRUE(wait_for_event("\"tree_started\"")) << program.err();
  tree("children: [{name: a, comand: [x]}]\n");
  program.signal(SIGHUP);
  EXPECT_TRUE(program.wait_for_err("reload refused; the tree goes on as it is")) << program.err();
  EXPECT_THAT(program.err(), HasSubstr("did you mean command?"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(RunTest, KillingTheProgramLeavesNoChild) {
  RunningProgram program(folder_, run(minimal_tree));
  ASSERT_TRUE(wait_for_event("\"tree_started\"")) << program.err();
  std::smatch match;
  const std::string all = events();
  ASSERT_TRUE(std::regex_search(all, match, std::regex("\"pid\":(\\d+)"))) << all;
  const pid_t child = std::stoi(match[1]);
  ASSERT_TRUE(is_alive(child));
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait(), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return !is_alive(child); }));
}

TEST_F(RunTest, KillingTheProgramLeavesNoGrandchildInItsGroup) {
  const std::string note = folder_.path("grandchild");
  RunningProgram program(
      folder_, run(tree_with("  - name: parent\n    command: [sh, -c, 'sleep 1000 & echo $! > " +
                             note + "; wait']\n")));
  ASSERT_TRUE(eventually([&] { return read_file(note).find('\n') != std::string::npos; }));
  const pid_t grandchild = std::stoi(read_file(note));
  ASSERT_TRUE(is_alive(grandchild));
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait(), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return !is_alive(grandchild); }));
}

TEST_F(RunTest, TheServiceManagerHearsOfStartAndStop) {
  const std::string address = folder_.path("notify");
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  ASSERT_LT(address.size(), sizeof name.sun_path);
  std::memcpy(name.sun_path, address.c_str(), address.size());
  ASSERT_EQ(bind(fd, static_cast<sockaddr*>(static_cast<void*>(&name)), sizeof name), 0);
  std::string heard;
  const auto hear = [&](const std::string& text) {
    return eventually([&] {
      char buffer[512];
      ssize_t size = 0;
      while ((size = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        heard.append(buffer, static_cast<std::size_t>(size));
        heard += '\n';
      }
      return heard.find(text) != std::string::npos;
    });
  };
  const std::string text = tree_with(
      "  - name: spy\n    command: [sh, -c, "
      "'echo watchdog=[$WATCHDOG_USEC]; exec sleep infinity']\n");
  RunningProgram program(folder_, run(text),
                         {{"NOTIFY_SOCKET", address}, {"WATCHDOG_USEC", "600000"}});
  EXPECT_TRUE(hear("READY=1")) << program.err();
  EXPECT_TRUE(hear("STATUS=1/1 children up")) << heard;
  EXPECT_TRUE(hear("WATCHDOG=1")) << heard;
  EXPECT_THAT(heard, Not(HasSubstr("STOPPING")));
  EXPECT_TRUE(program.wait_for_err("watchdog=[]")) << "our watchdog is none of the children's";
  program.signal(SIGTERM);
  EXPECT_TRUE(hear("STOPPING=1")) << heard;
  EXPECT_EQ(program.wait(), 0);
  close(fd);
}

TEST_F(RunTest, ChildrenKeepTheLimitOfOpenFilesThatTheProgramRaisesForItself) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low = {before.rlim_max / 2, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  RunningProgram program(
      folder_, run(tree_with("  - name: spy\n    command: [sh, -c, "
                             "'echo soft=$(ulimit -Sn) hard=$(ulimit -Hn).; exec sleep 60']\n")));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(program.wait_for_err("soft=" + std::to_string(low.rlim_cur) +
                                   " hard=" + std::to_string(low.rlim_max) + "."))
      << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(RunTest, ChildrenStartWithOrdinarySignals) {
  RunningProgram program(
      folder_, run(tree_with("  - name: spy\n    command: [sh, -c, "
                             "'grep -E \"^Sig(Blk|Ign)\" /proc/self/status; exec sleep 60']\n")));
  EXPECT_TRUE(program.wait_for_err("SigIgn")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(std::regex_search(program.err(), std::regex("SigBlk:\\D*0+\\b"))) << program.err();
  EXPECT_TRUE(std::regex_search(program.err(), std::regex("SigIgn:\\D*0+\\b"))) << program.err();
}

TEST_F(RunTest, TheGardenChecksRunsAndStopsClean) {
  const std::string garden = std::string(ESPALIER_SOURCE_DIR) + "/examples/config/supervisor.yaml";
  RunningProgram check(folder_, {"check", garden});
  EXPECT_EQ(check.wait(), 0) << check.err();
  // Its socket is to stand in our folder: somebody else's garden may grow on this machine.
  RunningProgram program(folder_, {"run", garden, "--events", events_, "--log-format", "text"},
                         {{"XDG_RUNTIME_DIR", folder_.path("")}});
  ASSERT_TRUE(wait_for_event("\"tree_started\"")) << program.err();
  EXPECT_EQ(program.wait(std::chrono::seconds{3}), -1) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0) << program.err();
  EXPECT_THAT(program.err(), Not(HasSubstr("left behind")));
}

}  // namespace
}  // namespace espalier::cli
