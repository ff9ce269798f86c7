#include "cli/running_program.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using Json = nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::string numbers(int from, int to) {
  std::string out;
  for (int i = from; i <= to; ++i)
    out += std::to_string(i) + "\n";
  return out;
}

class PipelineProgram : public testing::Test {
 protected:
  std::string file(const std::string& body) {
    return folder_.write("pipeline.yaml", "pipeline:\n  name: shop\n" + body);
  }
  /// `pipeline run` to its end with this as standard input.
  int run(std::vector<std::string> arguments, const std::string& input) {
    arguments.insert(arguments.begin(), {"pipeline", "run"});
    RunningProgram program(folder_, arguments, {}, folder_.write("input", input));
    const int code = program.wait();
    out_ = program.out();
    err_ = program.err();
    return code;
  }
  [[nodiscard]] std::vector<Json> letters(const std::string& name) const {
    std::vector<Json> found;
    for (const auto& line : lines_of(read_file(folder_.path(name))))
      found.push_back(Json::parse(line));
    return found;
  }

  TempFolder folder_;
  std::string out_;
  std::string err_;
};

TEST_F(PipelineProgram, TurnsLinesOfJsonIntoLinesOfJson) {
  const auto yaml = file(
      "  output: {order: input}\n  stages:\n"
      "    - {name: a, command: [sed, 's/^/[/; s/$/]/'], workers: 3}\n");
  EXPECT_EQ(run({yaml}, numbers(1, 20)), exit_done) << err_;
  const auto lines = lines_of(out_);
  ASSERT_EQ(lines.size(), 20U);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(lines[static_cast<std::size_t>(i)], "[" + std::to_string(i + 1) + "]");
  EXPECT_THAT(err_, HasSubstr("shop: 20 succeeded, 0 failed, 0 skipped"));
}

TEST_F(PipelineProgram, FailedItemsAndUnreadableLinesBecomeDeadLettersAndTheRunGoesOn) {
  const auto yaml = file(
      "  stages:\n    - {name: odd, command: [sh, -c, "
      "'read x; [ $((x % 2)) = 1 ] || { echo $x is even >&2; exit 3; }; "
      "echo $x'], retry: {attempts: 2, backoff: 1ms}}\n");
  const auto code = run({yaml, "--dead-letters", folder_.path("failed")}, "1\n2\n{oops\n\n3\n");
  EXPECT_EQ(code, exit_some_failed) << err_;
  EXPECT_THAT(lines_of(out_), UnorderedElementsAre("1", "3"));
  EXPECT_THAT(err_, HasSubstr("2 succeeded, 2 failed, 0 skipped; dead letters are in "));
  auto found = letters("failed");
  ASSERT_EQ(found.size(), 2U);
  if (found[0].contains("input")) std::swap(found[0], found[1]);
  EXPECT_EQ(found[0]["line"], 3);
  EXPECT_EQ(found[0]["text"], "{oops");
  EXPECT_THAT(found[0]["error"].get<std::string>(),
              HasSubstr("line 3: it is not JSON at column 2"));
  EXPECT_EQ(found[1]["line"], 2);
  EXPECT_EQ(found[1]["input"], 2);
  EXPECT_EQ(found[1]["stage"], "odd");
  EXPECT_EQ(found[1]["attempts"], 2);
  EXPECT_EQ(found[1]["error"], "exit code 3: 2 is even");
}

TEST_F(PipelineProgram, DeadLettersAreReplayedFromTheStageWhereTheyFailed) {
  const auto yaml = file(
      "  stages:\n"
      "    - {name: count, command: [sh, -c, 'echo x >> " +
      folder_.path("first") +
      "; cat']}\n"
      "    - {name: gate, command: [sh, -c, '[ -e " +
      folder_.path("open") + " ] && cat']}\n");
  EXPECT_EQ(run({yaml, "--dead-letters", folder_.path("failed")}, "1\n2\n"), exit_some_failed);
  EXPECT_EQ(letters("failed").size(), 2U);
  EXPECT_EQ(
      run({yaml, "--replay", folder_.path("failed"), "--dead-letters", folder_.path("failed")}, ""),
      exit_usage);
  EXPECT_THAT(err_, HasSubstr("which is being replayed; name another file"));
  EXPECT_EQ(folder_.write("open", ""), folder_.path("open"));
  EXPECT_EQ(run({yaml, "--replay", folder_.path("failed")}, ""), exit_done) << err_;
  EXPECT_THAT(lines_of(out_), UnorderedElementsAre("1", "2"));
  EXPECT_EQ(read_file(folder_.path("first")), "x\nx\n") << "the first stage was not done again";
}

TEST_F(PipelineProgram, AnItemComesOutWhileTheInputIsStillOpen) {
  const auto yaml = file("  stages: [{name: a, command: [cat]}]\n");
  const auto fifo = folder_.path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::fstream writer(fifo, std::ios::in | std::ios::out);  // Both, so that it does not wait.
  RunningProgram program(folder_, {"pipeline", "run", yaml, "--input", fifo});
  writer << "42\n" << std::flush;
  EXPECT_TRUE(eventually([&] { return program.out() == "42\n"; })) << program.err();
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), exit_interrupted);
  EXPECT_THAT(program.err(), HasSubstr("input was read up to line 1"));
}

TEST_F(PipelineProgram, AnInterruptLetsWorkEndAndKeepsTheRestAsDeadLetters) {
  const auto yaml =
      file("  dead_letters: " + folder_.path("failed") +
           "\n  stages:\n    - {name: a, capacity: 50, command: [sh, -c, 'echo x >> " +
           folder_.path("begun") + "; sleep 0.5; cat']}\n");
  RunningProgram program(folder_, {"pipeline", "run", yaml}, {},
                         folder_.write("input", numbers(1, 10)));
  ASSERT_TRUE(eventually([&] { return read_file(folder_.path("begun")) == "x\n"; }));
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), exit_interrupted);
  EXPECT_EQ(program.out(), "1\n") << "what was in work came to its end";
  EXPECT_EQ(letters("failed").size(), 9U);
  EXPECT_EQ(letters("failed")[0]["kind"], "cancelled");
  EXPECT_EQ(
      run({file("  stages: [{name: a, command: [cat]}]\n"), "--replay", folder_.path("failed")},
          ""),
      exit_done);
  EXPECT_EQ(lines_of(out_).size(), 9U);
}

TEST_F(PipelineProgram, AnInterruptTellsWhereToGoOnReading) {
  const auto yaml = file("  dead_letters: " + folder_.path("failed") +
                         "\n  stages:\n    - {name: a, capacity: 4, command: [sh, -c, 'echo x >> " +
                         folder_.path("begun") + "; sleep 0.3; cat']}\n");
  RunningProgram program(folder_, {"pipeline", "run", yaml}, {},
                         folder_.write("input", numbers(1, 1000)));
  ASSERT_TRUE(eventually([&] { return !read_file(folder_.path("begun")).empty(); }));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_interrupted);
  const auto taken = lines_of(program.out()).size() + letters("failed").size();
  EXPECT_LT(taken, 20U);
  EXPECT_THAT(program.err(), HasSubstr("input was read up to line " + std::to_string(taken)));
}

TEST_F(PipelineProgram, ASecondInterruptEndsTheCommandsToo) {
  const auto yaml = file(
      "  stages:\n    - {name: a, kill_after: 200ms, command: [sh, -c, "
      "'echo x >> " +
      folder_.path("begun") + "; sleep 60']}\n");
  RunningProgram program(folder_,
                         {"pipeline", "run", yaml, "--dead-letters", folder_.path("failed")}, {},
                         folder_.write("input", "[1, 2]\n"));
  ASSERT_TRUE(eventually([&] { return read_file(folder_.path("begun")) == "x\n"; }));
  program.signal(SIGINT);
  ASSERT_TRUE(program.wait_for_err("again to stop at once"));
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(std::chrono::seconds{10}), exit_interrupted);
  ASSERT_EQ(letters("failed").size(), 1U);
  EXPECT_EQ(letters("failed")[0]["input"], Json::parse("[1, 2]"));
  EXPECT_EQ(letters("failed")[0]["stage"], "a");
}

TEST_F(PipelineProgram, GoesOnAfterAnInterruptWhereEachItemWas) {
  const auto yaml = file("  checkpoint: " + folder_.path("work.db") +
                         "\n  stages:\n"
                         "    - {name: one, command: [sh, -c, 'read x; echo $x >> " +
                         folder_.path("one") +
                         "; echo $x']}\n"
                         "    - {name: two, capacity: 50, command: [sh, -c, 'sleep 0.2; cat']}\n");
  RunningProgram program(folder_, {"pipeline", "run", yaml}, {},
                         folder_.write("items", numbers(1, 10)));
  ASSERT_TRUE(eventually([&] { return lines_of(read_file(folder_.path("one"))).size() == 10; }));
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), exit_interrupted);
  EXPECT_THAT(program.err(), HasSubstr("wait in the checkpoint for --resume"));
  const auto before = lines_of(program.out());
  EXPECT_LT(before.size(), 10U);

  EXPECT_EQ(run({yaml}, numbers(1, 10)), exit_refused);
  EXPECT_THAT(err_, HasSubstr("unfinished items; add --resume"));
  EXPECT_EQ(run({yaml, "--resume"}, numbers(1, 12)), exit_done) << err_;
  auto all = lines_of(out_);
  all.insert(all.end(), before.begin(), before.end());
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 12U);
  EXPECT_EQ(all.size(), 12U) << "nothing twice";
  EXPECT_EQ(lines_of(read_file(folder_.path("one"))).size(), 12U);
  EXPECT_THAT(err_, HasSubstr("were known from before and not run again"));
  EXPECT_EQ(run({yaml}, numbers(1, 12)), exit_done);
  EXPECT_EQ(out_, "") << "all of it is done";
}

TEST_F(PipelineProgram, GoesOnAfterAKill) {
  const auto yaml = file("  id: n\n  checkpoint: {path: " + folder_.path("work.db") +
                         "}\n  stages:\n    - {name: a, mode: lines, workers: 2, command: [sh, -c, "
                         "'while read x; do sleep 0.005; echo \"$x\"; done']}\n");
  std::string input;
  for (int i = 0; i < 200; ++i)
    input += "{\"n\":" + std::to_string(i) + "}\n";
  const auto items = folder_.write("items", input);
  std::set<std::string> results;
  for (int life = 0; life < 4; ++life) {
    const TempFolder own;  // Its output begins anew.
    RunningProgram program(own, {"pipeline", "run", yaml, "--resume", "--input", items});
    const auto had = results.size();
    if (life < 3) {
      ASSERT_TRUE(eventually([&] { return lines_of(program.out()).size() >= 20; })) << life;
      program.signal(SIGKILL);
    }
    EXPECT_EQ(program.wait(), life < 3 ? 128 + SIGKILL : exit_done) << program.err();
    for (const auto& line : lines_of(program.out())) {
      if (!line.empty() && line.back() == '}') results.insert(line);
    }
    EXPECT_GT(results.size(), had);
  }
  EXPECT_EQ(results.size(), 200U);
}

TEST_F(PipelineProgram, TwoRunsDoNotShareACheckpoint) {
  const auto yaml = file("  checkpoint: " + folder_.path("work.db") +
                         "\n  stages: [{name: a, command: [sleep, '60'], kill_after: 100ms}]\n");
  RunningProgram first(folder_, {"pipeline", "run", yaml}, {}, folder_.write("items", "1\n"));
  ASSERT_TRUE(eventually([&] { return !read_file(folder_.path("work.db.lock")).empty(); }));
  EXPECT_EQ(run({yaml}, "2\n"), exit_not_written);
  EXPECT_THAT(err_, HasSubstr("is in use by process " + std::to_string(first.pid())));
}

TEST_F(PipelineProgram, AnItemWithoutItsIdIsADeadLetter) {
  const auto yaml = file(
      "  id: order\n  output: {order: completion, envelope: true}\n"
      "  stages: [{name: a, command: [cat]}]\n");
  EXPECT_EQ(run({yaml}, "{\"order\":\"A7\",\"n\":1}\n{\"n\":2}\n"), exit_some_failed);
  EXPECT_EQ(out_, "{\"id\":\"A7\",\"value\":{\"order\":\"A7\",\"n\":1}}\n");
  EXPECT_THAT(err_, HasSubstr("line 2: it has no order, which is to be its id"));
}

TEST_F(PipelineProgram, AReaderThatGoesAwayEndsTheRun) {
  const auto yaml = file("  stages: [{name: a, mode: lines, command: [cat]}]\n");
  const auto script = folder_.write(
      "go.sh", "set -o pipefail\n" + std::string(ESPALIER_BINARY) + " pipeline run " + yaml +
                   " --input " + folder_.write("items", numbers(1, 200'000)) + " | head -1\n");
  FILE* shell = popen(("bash " + script + " 2>" + folder_.path("err")).c_str(), "r");
  ASSERT_NE(shell, nullptr);
  char line[64] = {};
  EXPECT_NE(fgets(line, sizeof line, shell), nullptr);
  EXPECT_STREQ(line, "1\n");
  EXPECT_EQ(WEXITSTATUS(pclose(shell)), exit_failed);
  EXPECT_THAT(read_file(folder_.path("err")), HasSubstr("cannot write results"));
}

TEST_F(PipelineProgram, ABadFileStartsNothing) {
  const auto yaml = file("  stages: [{name: a, comand: [cat]}]\n");
  EXPECT_EQ(run({yaml}, "1\n"), exit_config_invalid);
  EXPECT_THAT(err_, HasSubstr("pipeline.yaml:3:22: pipeline.stages[0].comand: unknown key; did you "
                              "mean command?"));
  EXPECT_EQ(out_, "");
}

TEST_F(PipelineProgram, TheProgressIsLinesOfJsonIfWanted) {
  const auto yaml = file("  stages: [{name: a, command: [cat]}]\n");
  EXPECT_EQ(run({yaml, "--progress", "json"}, "1\n2\n"), exit_done);
  EXPECT_THAT(lines_of(out_), ElementsAre("1", "2"));
  const auto lines = lines_of(err_);
  ASSERT_FALSE(lines.empty());
  EXPECT_FALSE(Json::parse(lines.front(), nullptr, false).is_discarded()) << lines.front();
  EXPECT_EQ(run({yaml, "--progress", "none"}, "1\n"), exit_done);
  EXPECT_EQ(err_, "");
}

TEST_F(PipelineProgram, TheExampleRunsAsItsCommentSays) {
  const std::string examples = std::string(ESPALIER_SOURCE_DIR) + "/examples/config";
  EXPECT_EQ(run({examples + "/pipeline.yaml", "--input", examples + "/orders.ndjson",
                 "--dead-letters", folder_.path("failed")},
                ""),
            exit_some_failed)
      << err_;
  EXPECT_THAT(out_, HasSubstr("\"parcel\""));
  const auto failed = letters("failed");
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0]["id"], "A5");
  EXPECT_EQ(failed[0]["attempts"], 3);
  EXPECT_THAT(failed[0]["error"].get<std::string>(), HasSubstr("KeyError"));
}

TEST_F(PipelineProgram, UrgentItemsGoFirst) {
  const auto yaml =
      file("  priority: urgency\n  stages:\n    - {name: a, command: [cat], result: input}\n");
  EXPECT_EQ(run({yaml}, "{\"n\":1,\"urgency\":200}\n{\"n\":2}\n{\"n\":3,\"urgency\":1}\n"),
            exit_done)
      << err_;
  std::vector<int> order;
  for (const auto& line : lines_of(out_))
    order.push_back(Json::parse(line)["n"].get<int>());
  EXPECT_THAT(order, ElementsAre(3, 2, 1));
}

TEST_F(PipelineProgram, WhatACommandSaidInSeveralLinesIsToldInSeveralLines) {
  const auto yaml =
      file("  stages:\n    - {name: a, command: [sh, -c, 'echo one >&2; echo two >&2; exit 3']}\n");
  EXPECT_EQ(run({yaml}, "1\n"), exit_some_failed);
  EXPECT_THAT(err_, HasSubstr("one\nespalier:   two\n"));
  EXPECT_THAT(err_, Not(HasSubstr("\\x0a")));
}

}  // namespace
}  // namespace espalier::cli
