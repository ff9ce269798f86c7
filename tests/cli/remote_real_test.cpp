#include "cli/remote_fixture.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/text_cells.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace espalier::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(RemoteTest, VerbsThatLookAnswerOnAHealthyTree) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  EXPECT_TRUE(eventually([&] {
    return sh("$E status").out.find("bad \\x1b") != std::string::npos;
  })) << sh("$E status").out;
  EXPECT_THAT(sh("$E status").out,
              AllOf(HasSubstr("demo"), HasSubstr("7 of 7 children ready"), HasSubstr("web is up")));
  expect_code("$E status", exit_done);
  expect_code("$E status /web", exit_done);
  expect_code("$E status /nobody", exit_denied);
  EXPECT_THAT(sh("$E tree").out, AllOf(HasSubstr("web"), HasSubstr("a "), HasSubstr("ready")));
  EXPECT_THAT(sh("$E tree --depth 1").out, Not(HasSubstr("- b")));
  EXPECT_THAT(sh("$E list --sort restarts").out, AllOf(HasSubstr("PATH"), HasSubstr("/workers/a")));
  EXPECT_THAT(sh("$E list '/workers/*'").out,
              AllOf(HasSubstr("/workers/b"), Not(HasSubstr("/web"))));
  EXPECT_THAT(sh("$E show /web").out,
              AllOf(HasSubstr("command       sh"), HasSubstr("tree.yaml:"), HasSubstr("memory")));
  expect_code("$E show /nobody", exit_denied);
  EXPECT_THAT(sh("$E why /web").out, HasSubstr("/web"));
  EXPECT_THAT(sh("$E diagnose").out, HasSubstr("nothing found"));
  EXPECT_THAT(sh("$E health").out, StartsWith("up for "));
  expect_code("$E health", exit_done);
  EXPECT_THAT(sh("$E version --remote").out, HasSubstr("supervisor-ipc.v1"));
  EXPECT_THAT(sh("$E __paths").out, HasSubstr("/workers/a\n"));
}

TEST_F(RemoteTest, EveryJsonParsesAndIsTheResultOfTheSocket) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  for (const char* verb :
       {"status", "tree", "list", "show /web", "why /web", "diagnose", "snapshot", "health", "ping",
        "version --remote", "logs", "events", "restart /workers/a", "restart '/workers/*' --yes",
        "reset --all", "scale /pool 2 --dry-run", "reload --dry-run", "wait /web --for ready"}) {
    const Outcome outcome = sh("$E " + std::string(verb) + " -o json");
    EXPECT_TRUE(json::accept(outcome.out)) << verb << "\n" << outcome.out << outcome.err;
    std::istringstream lines(sh("$E " + std::string(verb) + " -o ndjson").out);
    for (std::string line; std::getline(lines, line);)
      EXPECT_TRUE(json::accept(line)) << verb << "\n" << line;
  }
  EXPECT_EQ(json::parse(sh("$E list -o json").out)["snapshot"]["nodes"][0]["path"], "/");
  EXPECT_EQ(json::parse(sh("$E health -o json").out)["state"], "up");
}

TEST_F(RemoteTest, ChildrenAreSteered) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  const auto phase = [&](const std::string& path) {
    return json::parse(sh("$E show " + path + " -o ndjson").out)["phase"].get<std::string>();
  };
  EXPECT_THAT(sh("$E restart /web --reason 'a test'").out, StartsWith("/web"));
  EXPECT_EQ(json::parse(sh("$E show /web -o ndjson").out)["generation"], 2);
  expect_code("$E stop /web", exit_done);
  EXPECT_EQ(phase("/web"), "stopped");
  expect_code("$E status /web", exit_unwell);
  expect_code("$E wait /web --for stopped", exit_done);
  expect_code("$E start /web", exit_done);
  expect_code("$E pause /workers/a", exit_done);
  EXPECT_EQ(phase("/workers/a"), "paused");
  expect_code("$E resume /workers/a", exit_done);
  expect_code("$E wait /workers/a --for ready", exit_done);
  expect_code("$E quarantine /workers/b", exit_done);
  EXPECT_EQ(phase("/workers/b"), "quarantined");
  expect_code("$E resume /workers/b", exit_done);
  expect_code("$E reset /workers/b", exit_done);
  EXPECT_THAT(sh("$E events --type command_done -n 50").out,
              AllOf(HasSubstr("a test"), HasSubstr("espalier stop by ")));
}

TEST_F(RemoteTest, APoolIsScaledAndAChildAddedAndRemoved) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  expect_code("$E scale /pool +1", exit_done);
  expect_code("$E wait '/pool/*' --for ready", exit_done);
  expect_code("$E scale /pool -2", exit_done);
  EXPECT_EQ(json::parse(sh("$E tree /pool -o json").out)["snapshot"]["nodes"].size(), 2U);
  expect_code("$E scale /pool 50", exit_refused);
  expect_code("$E scale /pool many", exit_usage);
  static_cast<void>(folder_.write("c.yaml", "name: c\nkind: blocking\nfactory: builtin.idle\n"));
  static_cast<void>(folder_.write("d.json", R"({"name": "d", "command": ["sleep", "1000"]})"));
  static_cast<void>(folder_.write("e.yaml", "name: e\ncommand: [cat]\n"));
  static_cast<void>(folder_.write("f.yaml", "name: f\nkind: nonsense\n"));
  expect_code("$E add $D/c.yaml:/workers --dry-run", exit_done);
  expect_code("$E show /workers/c", exit_denied);
  expect_code("$E add $D/c.yaml:/workers", exit_done);
  expect_code("$E add $D/d.json:/", exit_done);
  expect_code("$E add $D/c.yaml:/workers", exit_refused);
  expect_code("$E add $D/e.yaml:/workers", exit_denied);
  expect_code("$E add $D/f.yaml:/workers", exit_config_invalid);
  expect_code("$E wait /workers/c --for ready", exit_done);
  expect_code("$E remove /workers/c", exit_usage);
  expect_code("$E remove /workers/c --yes", exit_done);
  expect_code("$E wait /workers/c --for removed", exit_done);
}

TEST_F(RemoteTest, PatternsCommandEachChildAndSumUp) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  const Outcome refused = sh("$E stop '/workers/*'");
  EXPECT_EQ(refused.code, exit_usage);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("/workers/a"), HasSubstr("--yes")));
  const Outcome stopped = sh("$E stop '/workers/*' --yes");
  EXPECT_EQ(stopped.code, exit_done) << stopped.err;
  EXPECT_THAT(stopped.out, HasSubstr("stop: 2 of 2 children done"));
  expect_code("$E start '/workers/*'", exit_done);
  expect_code("$E restart '/nobody/*' --yes", exit_denied);
  expect_code("$E restart /workers/a /nobody --yes", exit_denied);
  expect_code("$E stop --all --dry-run", exit_done);
  expect_code("$E restart '/workers/*' --yes --command-id x", exit_usage);
}

TEST_F(RemoteTest, RefusalsHaveTheirCodes) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  expect_code("$E restart /web --expected-generation 77", exit_refused);
  expect_code("$E restart /nobody", exit_denied);
  expect_code("$E scale /web 3", exit_refused);
  expect_code("$E wait /web --for stopped --timeout 300ms", exit_timed_out);
  expect_code("$E shutdown", exit_usage);
  expect_code("$E ping --socket $D/none.sock", exit_not_running);
  const Outcome first = sh("$E restart /web --command-id same -o json");
  const Outcome second = sh("$E restart /web --command-id same -o json");
  EXPECT_EQ(json::parse(second.out)["repeated"], true) << first.out << second.out;
  expect_code("$E stop /web --command-id same", exit_refused);
}

TEST_F(RemoteTest, ATreeFollowsAFile) {
  start();
  expect_code("$E wait / --for ready", exit_done);
  const std::string more =
      std::string(children) + "  - {name: late, kind: blocking, factory: builtin.idle}\n";
  static_cast<void>(folder_.write("more.yaml", tree_text(more)));
  EXPECT_THAT(sh("$E plan $D/more.yaml").out, HasSubstr("late"));
  expect_code("$E show /late", exit_denied);
  expect_code("$E apply $D/more.yaml", exit_usage);
  EXPECT_THAT(sh("$E apply $D/more.yaml --yes").out, HasSubstr("late"));
  expect_code("$E wait /late --for ready", exit_done);
  expect_code("$E reload --yes", exit_done);
  expect_code("$E wait /late --for removed", exit_done);
  static_cast<void>(folder_.write("bad.yaml", "supervisor: {nam: x}\n"));
  expect_code("$E apply $D/bad.yaml --yes", exit_config_invalid);
  EXPECT_THAT(sh("$E plan $D/more.yaml --against $D/tree.yaml").out, HasSubstr("late"));
}

TEST_F(RemoteTest, TroubleIsSeenExplainedAndDiagnosed) {
  start(std::string(children) + failing);
  ASSERT_TRUE(eventually(
      [&] { return sh("$E list --filter quarantined").out.find("/flaky") != std::string::npos; }));
  EXPECT_THAT(sh("$E status /flaky").out, HasSubstr("no route to host"));
  expect_code("$E status /flaky", exit_unwell);
  EXPECT_THAT(sh("$E why /flaky").out,
              AllOf(HasSubstr("quarantine"), HasSubstr("child_limit"), HasSubstr("Because")));
  const Outcome found = sh("$E diagnose");
  EXPECT_EQ(found.code, exit_unwell) << found.out;
  EXPECT_THAT(found.out, AllOf(HasSubstr("/flaky"), HasSubstr("look: espalier why /flaky")));
  EXPECT_THAT(sh("$E events --type child_quarantined").out, HasSubstr("/flaky"));
}

TEST_F(RemoteTest, TextFitsAndHoldsNothingThatDrivesATerminal) {
  start(std::string(children) + failing);
  for (const char* verb : {"status", "status /web", "tree", "list", "show /web", "why /flaky",
                           "diagnose", "logs", "events"}) {
    const Outcome outcome = sh("COLUMNS=80 $E " + std::string(verb));
    EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b"))) << verb;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(cell_width(line), 80U) << verb << ": " << line;
  }
  EXPECT_THAT(sh("$E tree --color always").out, HasSubstr("\x1b["));
  EXPECT_THAT(sh("TERM=xterm NO_COLOR=1 script -qec \"$E tree\" /dev/null").out,
              Not(HasSubstr("\x1b[3")));
}

TEST_F(RemoteTest, APipeThatIsClosedEarlyEndsTheVerb) {
  start();
  for (const char* verb : {"tree", "list", "snapshot", "logs -f", "events -f --replay 20"}) {
    const Outcome outcome = sh("timeout 5 $E " + std::string(verb) + " | head -1");
    EXPECT_THAT(outcome.err, Not(HasSubstr("terminate"))) << verb;
    EXPECT_EQ(outcome.code, 0) << verb;
  }
  expect_code("timeout 5 $E logs -f >/dev/full", exit_failed);
}

TEST_F(RemoteTest, FollowersEndWithCtrlC) {
  start();
  for (const char* verb : {"logs", "events", "wait"}) {
    const TempFolder own;
    std::vector<std::string> arguments = {verb, "-f"};
    if (std::string(verb) == "wait") arguments = {verb, "/web", "--for", "removed"};
    RunningProgram follower(own, arguments);
    short_pause();
    ASSERT_TRUE(eventually([&] {
      follower.signal(SIGINT);
      return follower.wait(std::chrono::milliseconds{500}) != -1;
    }));
    EXPECT_TRUE(follower.wait() == exit_interrupted || follower.wait() == 128 + SIGINT)
        << verb << follower.wait() << follower.err();
  }
}

TEST_F(RemoteTest, FollowersOutliveTheTarget) {
  start();
  const TempFolder own;
  const TempFolder other;
  RunningProgram events(own, {"events", "-f", "--type", "command_done"});
  RunningProgram logs(other, {"logs", "-f", "/web"});
  ASSERT_TRUE(eventually([&] {
    static_cast<void>(sh("$E reset /web"));
    return events.out().find("command_done") != std::string::npos;
  })) << events.err();
  ASSERT_TRUE(eventually([&] { return logs.out().find("web is up") != std::string::npos; }));
  tree_->signal(SIGKILL);
  static_cast<void>(tree_->wait());
  ASSERT_TRUE(events.wait_for_err("trying again")) << events.err();
  ASSERT_TRUE(logs.wait_for_err("trying again")) << logs.err();
  start();
  ASSERT_TRUE(eventually([&] {
    static_cast<void>(sh("$E reset /workers/a"));
    return events.out().find("/workers/a") != std::string::npos;
  })) << events.out()
      << events.err();
  EXPECT_THAT(events.out(), HasSubstr("missing"));
  EXPECT_TRUE(eventually([&] {
    const std::string out = logs.out();
    return out.find("web is up") != out.rfind("web is up");
  })) << logs.out()
      << logs.err();
}

TEST_F(RemoteTest, ShutdownEndsTheTree) {
  start();
  expect_code("$E shutdown --dry-run", exit_done);
  expect_code("$E shutdown --yes --reason done", exit_done);
  EXPECT_EQ(tree_->wait(), exit_done) << tree_->err();
  expect_code("$E ping", exit_not_running);
}

TEST_F(RemoteTest, CompletionScriptsParseAndCompletePaths) {
  start();
  const Outcome parsed = sh("$E completion bash > $D/espalier.bash && bash -n $D/espalier.bash");
  EXPECT_EQ(parsed.code, 0) << parsed.err;
  const std::string ask =
      "espalier() { $E \"$@\"; }; . $D/espalier.bash; COMPREPLY=(); _espalier; echo "
      "${COMPREPLY[@]}";
  const auto complete = [&](const std::string& words, int position) {
    return sh("cat > $D/ask.sh <<'END'\nCOMP_WORDS=(" + words +
              ")\nCOMP_CWORD=" + std::to_string(position) + "\n" + ask + "\nEND\nbash $D/ask.sh")
        .out;
  };
  EXPECT_THAT(complete("espalier rest", 1), StartsWith("restart"));
  EXPECT_THAT(complete("espalier restart /work", 2), HasSubstr("/workers/a"));
  EXPECT_EQ(complete("espalier list --sort re", 3), "restarts\n");
  EXPECT_THAT(complete("espalier status --so", 2), HasSubstr("--socket"));
  for (const char* shell : {"zsh", "fish"}) {
    const std::string script = std::string("$E completion ") + shell + " > $D/c." + shell +
                               "; command -v " + shell + " >/dev/null || exit 0; " + shell +
                               " -n $D/c." + shell;
    expect_code(script, 0);
  }
}

TEST(ManPages, RenderWithoutWarnings) {
  if (std::system("command -v man >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no man here";
  for (const char* page : {"espalier.1", "espalier.yaml.5", "espalier-ipc.7"}) {
    const std::string file = std::string(ESPALIER_SOURCE_DIR) + "/packaging/man/" + page;
    const std::string command = "test -z \"$(man --warnings -l " + file + " 2>&1 >/dev/null)\"";
    EXPECT_EQ(std::system(command.c_str()), 0) << page;
  }
}

}  // namespace
}  // namespace espalier::cli
