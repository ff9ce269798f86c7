// docs/commands.md says what each command does in each state of a child; here the engine is
// asked, cell by cell. runtime/command_table_real_test.cpp asks a running tree the same.
#include "libsupervisor/core/support/command_table.hpp"

#include "libsupervisor/core/support/script_runner.hpp"

#include <gmock/gmock.h>

namespace espalier::supervisor {
namespace {

using testing_support::CommandTable;
using testing_support::ScriptRunner;

// How child `a` gets into each state.
const std::map<std::string, std::vector<std::string>>& ways() {
  static const std::map<std::string, std::vector<std::string>> all{
      {"starting", {"supervisor", "child a", "manual", "start"}},
      {"running", {"supervisor", "child a", "start"}},
      {"suspended", {"supervisor", "child a can_suspend", "start", "pause_child a"}},
      {"backing_off", {"supervisor", "child a backoff=9000", "start", "crash a"}},
      {"queued", {"supervisor", "child a budget=1@0.1", "start", "crash a", "crash a"}},
      {"restarting with its scope",
       {"supervisor strategy=one_for_all", "child a", "child b", "start", "crash a"}},
      {"blocked",
       {"supervisor start_failure=restart", "child b backoff=9000", "child a deps=b", "manual",
        "start", "crash b"}},
      {"gated", {"supervisor", "child a gate=/run/a.sock", "start"}},
      {"stopping", {"supervisor", "child a", "start", "stop_child a"}},
      {"stopped", {"supervisor", "child a", "start", "stop_child a", "exit a stopped"}},
      {"paused", {"supervisor", "child a", "start", "pause_child a", "exit a stopped"}},
      {"quarantined", {"supervisor", "child a limit=0/1000", "start", "crash a"}},
      {"held", {"supervisor group=io:limit=0/1000", "child a group=io", "start", "crash a"}},
      {"abandoned",
       {"supervisor abort_wait=10", "child a grace=10", "start", "stop_child a", "wait 20"}},
      {"in a tree that stops", {"supervisor", "child a", "child b", "start", "stop"}},
      {"in a tree that has ended", {"supervisor", "child a", "start", "stop", "exit a stopped"}},
  };
  return all;
}

std::string answer_of(const std::string& said, std::uint64_t ticket) {
  const auto reply = "reply " + std::to_string(ticket) + " ";
  const auto from = said.find(reply);
  if (from == std::string::npos) return "";
  const auto word = from + reply.size();
  return said.substr(word, said.find(':', word) - word);
}

// Everybody does what is asked of them.
std::string let_it_happen(ScriptRunner& run) {
  std::string said;
  for (int round = 0; round < 8; ++round) {
    for (const std::string who : {"a", "b"}) {
      const auto phase = run.phase(who);
      if (phase == "stopping") said += run.run("exit " + who + " stopped");
      if (phase == "aborting") said += run.run("exit " + who + " aborted");
      if (phase == "starting") said += run.run("running " + who);
      if (phase == "gated") said += run.run("gate " + who + " ok");
    }
  }
  return said;
}

std::string cell(const std::string& state, const std::string& command) {
  ScriptRunner run;
  for (const auto& line : ways().at(state))
    run.run(line);
  run.run("show replies");
  auto said = run.run(command + " a");
  said += let_it_happen(run);
  const auto answer = answer_of(said, run.last_ticket());
  const auto phase = run.phase("a");
  return (answer.empty() ? "waits" : answer) + ", " + (phase.empty() ? "removed" : phase);
}

TEST(CommandTable, SaysWhatTheEngineDoesInEveryCell) {
  const auto table = testing_support::read_command_table(ESPALIER_SOURCE_DIR "/docs/commands.md");
  ASSERT_EQ(table.rows.size(), ways().size());
  for (const auto& [state, cells] : table.rows) {
    for (const auto& [command, expected] : cells)
      EXPECT_EQ(cell(state, command), expected) << command << " when " << state;
  }
}

// A second request while the first is under way is answered with it, and told so.
TEST(CommandTable, TheSameCommandTwiceIsJoined) {
  for (const std::string command :
       {"restart_child", "stop_child", "pause_child", "quarantine_child", "remove_child"}) {
    ScriptRunner run;
    for (const std::string line :
         {"supervisor", "child a", "manual", "start", "running a", "show replies"})
      run.run(line);
    auto said = run.run(command + " a");
    said += run.run(command + " a");
    EXPECT_EQ(said.find("reply"), std::string::npos) << command;
    said = let_it_happen(run);
    EXPECT_EQ(answer_of(said, 1), "done") << command;
    EXPECT_EQ(answer_of(said, 2), "joined") << command;
  }
}

// What would be done is said, and nothing is done.
TEST(CommandTable, ADryRunChangesNothing) {
  for (const auto& [state, lines] : ways()) {
    for (const std::string command :
         {"start_child", "stop_child", "restart_child", "pause_child", "resume_child",
          "quarantine_child", "remove_child", "reset_child"}) {
      ScriptRunner run;
      for (const auto& line : lines)
        run.run(line);
      const auto before = run.phase("a");
      run.run("show replies");
      const auto said = run.run(command + " a dry");
      EXPECT_NE(answer_of(said, run.last_ticket()), "done") << command << " when " << state;
      EXPECT_NE(answer_of(said, run.last_ticket()), "") << command << " when " << state;
      EXPECT_EQ(run.phase("a"), before) << command << " when " << state;
    }
  }
}

}  // namespace
}  // namespace espalier::supervisor
