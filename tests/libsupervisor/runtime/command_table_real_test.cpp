// docs/commands.md says what each command does in each state of a child; here running trees are
// asked, cell by cell, each in a tree of its own. core/command_table_test.cpp asks the engine.
#include "libsupervisor/core/support/command_table.hpp"
#include "libsupervisor/runtime/staged_child.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

struct Cell {
  std::string state = {};
  std::string command = {};
  std::string expected = {};
  std::string found = {};
};

Command command_named(const std::string& name, const StagedChild& child) {
  static const std::vector all{
      CommandKind::start_child,  CommandKind::stop_child,   CommandKind::restart_child,
      CommandKind::pause_child,  CommandKind::resume_child, CommandKind::quarantine_child,
      CommandKind::remove_child, CommandKind::reset_child,  CommandKind::set_policy};
  for (const auto kind : all) {
    if (name != to_string(kind)) continue;
    Command command{.kind = kind, .path = "/a", .meta = {"test", "the table"}};
    command.spec = std::make_shared<ChildSpec>(ChildSpec{.policy = child.policy()});
    return command;
  }
  throw std::runtime_error("the table has an unknown command: " + name);
}

std::string word(const CommandResult& result) {
  if (!result) return to_string(result.error().code);
  if (result->joined) return "joined";
  return result->changed ? "done" : "unchanged";
}

// The command is in before anybody is let go: a dry run, which is answered at once, is behind it.
std::string answer(StagedChild& child, const Command& command) {
  const auto said = std::make_shared<std::promise<std::string>>();
  auto answered = said->get_future();
  child.tree().execute(command, [said](const CommandResult& x) { said->set_value(word(x)); });
  auto dry = command;
  dry.dry_run = true;
  static_cast<void>(child.tree().execute(dry));
  child.release();
  return answered.wait_for(10s) == std::future_status::ready ? answered.get() : "no answer";
}

void fill(Cell& cell) {
  StagedChild child{cell.state};
  const auto command = command_named(cell.command, child);
  const auto comma = cell.expected.find(", ");
  if (cell.expected.starts_with("waits")) {
    child.release();
    const auto result = child.tree().execute(command, 200ms);
    const bool waits = !result && result.error().code == Error::Code::timed_out;
    cell.found = waits ? "waits" : word(result);
  } else {
    cell.found = answer(child, command);
  }
  child.wait_for_phase(cell.expected.substr(comma + 2));
  cell.found += ", " + child.phase();
}

// What a cell waits for takes no processor, so several are asked at once.
void fill_all(std::vector<Cell>& cells) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> askers;
  for (int i = 0; i < 6; ++i) {
    askers.emplace_back([&] {
      for (auto c = next++; c < cells.size(); c = next++) {
        try {
          fill(cells[c]);
        } catch (const std::exception& e) {
          cells[c].found = e.what();
        }
      }
    });
  }
}

TEST(CommandTableOfARunningTree, SaysWhatHappensInEveryCell) {
  const auto table = testing_support::read_command_table(ESPALIER_SOURCE_DIR "/docs/commands.md");
  ASSERT_EQ(table.rows.size(), StagedChild::stages().size());
  std::vector<Cell> cells;
  for (const auto& [state, row] : table.rows) {
    for (const auto& [command, expected] : row)
      cells.push_back({state, command, expected, {}});
  }
  ASSERT_EQ(cells.size(), table.rows.size() * table.commands.size());
  fill_all(cells);
  for (const auto& cell : cells)
    EXPECT_EQ(cell.found, cell.expected) << cell.command << " when " << cell.state;
}

}  // namespace
}  // namespace espalier::supervisor::testing
