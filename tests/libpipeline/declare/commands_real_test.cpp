#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/json_text.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <thread>

namespace espalier::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Ended {
  std::vector<std::string> results = {};
  std::vector<Failure> failures = {};
  std::vector<std::string> inputs = {};  ///< Of the failures.
  std::size_t skipped = 0;
};

DeclaredPipeline load(const std::string& stages, const DeclareOptions& options) {
  auto loaded = load_pipeline_text("pipeline:\n  output: {order: completion}\n  stages:\n" + stages,
                                   "p.yaml", options);
  if (loaded) return std::move(*loaded);
  ADD_FAILURE() << loaded.error()[0].to_string();
  return {};
}

void feed(Runner& runner, const std::vector<std::string>& lines) {
  std::vector<Item> items;
  for (const auto& line : lines) {
    Item item;
    item.value = Value::of<Json>(Json::parse(line));
    items.push_back(std::move(item));
  }
  EXPECT_EQ(runner.feed(0, std::move(items)).count, lines.size());
}

void take_all(Runner& runner, Ended& ended) {
  while (auto chunk = runner.take()) {
    for (auto& item : chunk->items) {
      if (item.verdict == Verdict::pass) {
        ended.results.push_back(to_line(item.value.as<Json>()));
      } else if (item.verdict == Verdict::skip) {
        ++ended.skipped;
      } else {
        const auto& input = item.failure->input.has_value() ? item.failure->input : item.value;
        ended.inputs.push_back(input.has_value() ? to_line(input.as<Json>()) : "gone");
        ended.failures.push_back(std::move(*item.failure));
      }
    }
    runner.recycle(std::move(chunk));
  }
}

Ended run(const std::string& stages, const std::vector<std::string>& lines,
          const DeclareOptions& options = {}) {
  Ended ended;
  Runner runner(load(stages, options).plan, {});
  EXPECT_TRUE(runner.start());
  std::thread feeder([&] {
    feed(runner, lines);
    runner.close_input();
  });
  take_all(runner, ended);
  feeder.join();
  EXPECT_TRUE(runner.stop());
  return ended;
}

class TempFile {
 public:
  TempFile() {
    std::string name = "/tmp/espalier-commands-XXXXXX";
    const int fd = ::mkstemp(name.data());
    ::close(fd);
    path_ = name;
  }
  ~TempFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string path_;
};

/// Gone, or dead and not yet collected by its new parent; looked at for a second.
bool is_over(pid_t pid) {
  for (int look = 0; look < 100; ++look) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const auto state = stat.rfind(") ");
    if (state == std::string::npos || stat[state + 2] == 'Z') return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// --- A process for each item.

TEST(PerItem, AnItemGoesInAsALineAndTheResultComesOut) {
  const auto ended = run("    - {name: a, command: [sh, -c, 'read x; echo \"[$x,1]\"']}\n",
                         {R"({"n":1})", R"("text")", "3"});
  EXPECT_THAT(ended.results, UnorderedElementsAre(R"([{"n":1},1])", R"(["text",1])", "[3,1]"));
}

TEST(PerItem, FieldsKeepTheOrderTheyCameIn) {
  const auto ended =
      run("    - {name: a, command: [cat]}\n", {R"({"z":1,"a":2,"m":{"y":1,"b":2}})"});
  EXPECT_THAT(ended.results, ElementsAre(R"({"z":1,"a":2,"m":{"y":1,"b":2}})"));
}

TEST(PerItem, AFailureTellsTheExitCodeAndTheLastLinesOfStandardError) {
  const auto ended =
      run("    - {name: a, command: [sh, -c, 'for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; "
          "exit 3']}\n",
          {"{}"});
  ASSERT_EQ(ended.failures.size(), 1U);
  const auto& failure = ended.failures[0];
  EXPECT_EQ(failure.message, "exit code 3: line 3\nline 4\nline 5\nline 6\nline 7");
  EXPECT_EQ(failure.type, "exit code 3");
  EXPECT_EQ(failure.stage, "a");
  EXPECT_EQ(failure.attempts, 1U);
  EXPECT_THAT(ended.inputs, ElementsAre("{}"));
}

TEST(PerItem, OutputThatIsNoJsonIsAFailureThatQuotesIt) {
  const auto ended = run("    - {name: a, command: [echo, 'hello there']}\n", {"1"});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_THAT(ended.failures[0].message, HasSubstr("not JSON at column 1"));
  EXPECT_THAT(ended.failures[0].message, HasSubstr("hello there"));
}

TEST(PerItem, ASignalIsNamed) {
  const auto ended = run("    - {name: a, command: [sh, -c, 'kill -9 $$']}\n", {"1"});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures[0].message, "killed by signal 9 (Killed)");
}

TEST(PerItem, ACommandThatDoesNotReadMayStillAnswer) {
  const std::string large = "\"" + std::string(500'000, 'x') + "\"";
  const auto ended = run("    - {name: a, command: [echo, '7']}\n", {large});
  EXPECT_THAT(ended.results, ElementsAre("7"));
  EXPECT_THAT(ended.failures, IsEmpty());
}

TEST(PerItem, ALargeItemGoesThroughWholeWhileBothPipesAreFull) {
  const std::string large = "\"" + std::string(3'000'000, 'x') + "\"";
  const auto ended = run("    - {name: a, command: [cat]}\n", {large});
  ASSERT_EQ(ended.results.size(), 1U);
  EXPECT_EQ(ended.results[0], large);
}

TEST(PerItem, ResultsAsTextAsTheyCameAndNone) {
  EXPECT_THAT(run("    - {name: a, command: [wc, -c], result: text}\n", {"12345"}).results,
              ElementsAre("\"6\""));
  EXPECT_THAT(run("    - {name: a, command: [echo, ignored], result: input}\n", {"1"}).results,
              ElementsAre("1"));
  const auto none = run("    - {name: a, command: [echo, ignored], result: none}\n", {"1", "2"});
  EXPECT_THAT(none.results, IsEmpty());
  EXPECT_EQ(none.skipped, 2U);
}

TEST(PerItem, AnErrorInTheAnswerIsAFailureThatItExplains) {
  const auto ended = run("    - {name: a, command: [cat], error_field: error}\n",
                         {R"({"error":"no such user"})", R"({"error":null,"ok":1})"});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures[0].message, "no such user");
  EXPECT_THAT(ended.results, ElementsAre(R"({"error":null,"ok":1})"));
}

TEST(PerItem, IsTriedAgainFromTheSameInput) {
  const TempFile counter;
  const auto ended =
      run("    - name: a\n"
          "      command: [sh, -c, 'echo x >> " +
              counter.path() + "; [ $(wc -l < " + counter.path() +
              ") -ge 3 ] && cat']\n"
              "      retry: {attempts: 5, backoff: {initial: 1ms, max: 2ms}}\n",
          {R"({"n":1})"});
  EXPECT_THAT(ended.results, ElementsAre(R"({"n":1})"));
  EXPECT_EQ(counter.text(), "x\nx\nx\n");
}

TEST(PerItem, AFinalExitCodeIsNotTriedAgain) {
  const TempFile counter;
  const auto ended =
      run("    - name: a\n"
          "      command: [sh, -c, 'echo x >> " +
              counter.path() +
              "; exit 65']\n"
              "      retry: {attempts: 5, backoff: 1ms, not_for_exit_codes: [65]}\n",
          {"1"});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(counter.text(), "x\n");
}

TEST(PerItem, ATimeOutEndsTheWholeGroupFirstPolitelyThenNot) {
  const TempFile pids;
  const auto start = Clock::now();
  // The shell ignores TERM, and so does what it starts.
  const auto ended =
      run("    - name: a\n"
          "      command: [sh, -c, 'trap \"\" TERM; sleep 60 & echo $! >> " +
              pids.path() + "; echo $$ >> " + pids.path() +
              "; wait; wait']\n"
              "      timeout: 100ms\n"
              "      kill_after: 100ms\n",
          {"1"});
  EXPECT_LT(Clock::now() - start, 5s);
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures[0].kind, Failure::Kind::timed_out);
  std::ifstream file(pids.path());
  int count = 0;
  for (pid_t pid = 0; file >> pid; ++count)
    EXPECT_TRUE(is_over(pid)) << "process " << pid << " outlived its item";
  EXPECT_EQ(count, 2);
}

TEST(PerItem, WhatACommandLeavesBehindIsEnded) {
  const TempFile pid_file;
  const auto ended = run("    - {name: a, command: [sh, -c, 'sleep 60 & echo $! > " +
                             pid_file.path() + "; echo 1']}\n",
                         {"1"});
  EXPECT_THAT(ended.results, ElementsAre("1"));
  EXPECT_TRUE(is_over(std::stoi(pid_file.text())));
}

// --- A process for each worker.

TEST(Lines, OneProcessAnswersLineByLine) {
  const TempFile starts;
  std::vector<std::string> items;
  for (int i = 0; i < 200; ++i)
    items.push_back(std::to_string(i));
  auto ended = run("    - {name: a, mode: lines, command: [sh, -c, 'echo x >> " + starts.path() +
                       "; while read x; do echo \"[$x]\"; done']}\n",
                   items);
  ASSERT_EQ(ended.results.size(), 200U);
  EXPECT_EQ(ended.results[199], "[199]");
  EXPECT_EQ(starts.text(), "x\n");
}

TEST(Lines, ItIsAskedToEndByTheEndOfItsInput) {
  const TempFile said;
  const auto ended =
      run("    - {name: a, mode: lines, command: [sh, -c, 'while read x; do echo 1; "
          "done; echo bye >> " +
              said.path() + "']}\n",
          {"1"});
  EXPECT_THAT(ended.results, ElementsAre("1"));
  EXPECT_EQ(said.text(), "bye\n");
}

TEST(Lines, AProcessThatDiesFailsTheItemInHandAndIsReplaced) {
  const auto ended =
      run("    - {name: a, mode: lines, command: [sh, -c, 'while read x; do [ $x = 2 ] "
          "&& { echo poison >&2; exit 4; }; echo $x; done']}\n",
          {"1", "2", "3"});
  EXPECT_THAT(ended.results, UnorderedElementsAre("1", "3"));
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures[0].message, "ended without an answer, exit code 4: poison");
  EXPECT_THAT(ended.inputs, ElementsAre("2"));
}

TEST(Lines, TwoAnswersToOneLineAreNotTakenForTheNext) {
  const auto ended =
      run("    - {name: a, mode: lines, command: [sh, -c, 'while read x; do "
          "printf \"%s\\n%s\\n\" $x $x; done']}\n",
          {"1", "2"});
  EXPECT_THAT(ended.results, IsEmpty());
  ASSERT_EQ(ended.failures.size(), 2U);
  EXPECT_THAT(ended.failures[0].message, HasSubstr("more than one line"));
}

TEST(Lines, AnAnswerNobodyAskedForDoesNotShiftTheOthers) {
  // The extra line comes a moment after the answer, when the process is idle.
  const auto stages =
      "    - {name: a, mode: lines, command: [sh, -c, 'while read x; do echo $x; sleep 0.05; "
      "echo 99; done']}\n    - {name: b, command: [sh, -c, 'sleep 0.2; cat']}\n";
  Runner runner(load(stages, {}).plan, {});
  ASSERT_TRUE(runner.start());
  Ended ended;
  feed(runner, {"1"});
  ASSERT_TRUE(runner.wait_idle(Clock::now() + 10s));
  feed(runner, {"2"});
  runner.close_input();
  take_all(runner, ended);
  EXPECT_THAT(ended.results, ElementsAre("1", "2"));
}

TEST(Lines, ATimeOutReplacesTheProcess) {
  const auto ended =
      run("    - {name: a, mode: lines, timeout: 150ms, kill_after: 100ms, command: "
          "[sh, -c, 'while read x; do [ $x = 1 ] && sleep 60; echo $x; done']}\n",
          {"1", "2"});
  EXPECT_THAT(ended.results, ElementsAre("2"));
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures[0].kind, Failure::Kind::timed_out);
}

TEST(Lines, AsManyProcessesAsWorkersWorkAtOnce) {
  const auto start = Clock::now();
  const auto ended =
      run("    - {name: a, mode: lines, workers: 4, timeout: 20s, command: [sh, -c, "
          "'while read x; do sleep 0.3; echo $$; done']}\n",
          {"1", "2", "3", "4"});
  EXPECT_LT(Clock::now() - start, 1100ms);
  EXPECT_EQ(std::set<std::string>(ended.results.begin(), ended.results.end()).size(), 4U);
}

// --- Shapes and tasks.

TEST(Shapes, FilterSplitUnpackAndBatchGoTogether) {
  const auto ended =
      run("    - {name: flat, unpack: true}\n"
          "    - {name: some, filter: {field: ., above: 1}}\n"
          "    - name: route\n"
          "      split: [{to: output, field: ., one_of: [2, 3]}]\n"
          "      next: pack\n"
          "    - {name: pack, batch: {count: 2}}\n",
          {"[1,2,3,4,5]", "[6]"});
  EXPECT_THAT(ended.results, UnorderedElementsAre("2", "3", "[4,5]", "[6]"));
}

TEST(Shapes, ASplitThatTakesNothingSaysSo) {
  const auto ended = run("    - {name: route, split: [{to: output, field: a}]}\n", {"{}"});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_THAT(ended.failures[0].message, HasSubstr("no line of split takes this item"));
}

TEST(Shapes, UnpackOfWhatIsNoListIsRefusedAndKeepsItsInput) {
  const auto ended = run("    - {name: flat, unpack: true}\n", {R"({"a":1})"});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_THAT(ended.failures[0].message, HasSubstr("of type object"));
  EXPECT_THAT(ended.inputs, ElementsAre(R"({"a":1})"));
}

TEST(Shapes, ABroadcastGivesEachBranchACopy) {
  const auto ended =
      run("    - {name: both, broadcast: [left, right]}\n"
          "    - {name: left, command: [sed, 's/.*/[\"left\",&]/'], next: output}\n"
          "    - {name: right, command: [sed, 's/.*/[\"right\",&]/']}\n",
          {"1"});
  EXPECT_THAT(ended.results, UnorderedElementsAre(R"(["left",1])", R"(["right",1])"));
}

TEST(Shapes, SkipIfLetsItemsThroughUntouched) {
  const auto ended = run("    - {name: a, command: [echo, '0'], skip_if: {field: done}}\n",
                         {R"({"done":1})", R"({"n":2})"});
  EXPECT_THAT(ended.results, UnorderedElementsAre(R"({"done":1})", "0"));
}

TEST(Tasks, OfTheProgramRunWithTheirParamsAndTheirExceptionsAreFailures) {
  DeclareOptions options;
  options.tasks["add"] = [](const Json& item, const TaskParams& params, RunContext&) {
    if (!item.is_number()) throw std::invalid_argument("add takes numbers");
    return Json(item.get<int>() + std::stoi(params.at("what")));
  };
  const auto ended =
      run("    - {name: a, task: add, params: {what: 5}}\n", {"1", "\"x\""}, options);
  EXPECT_THAT(ended.results, ElementsAre("6"));
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures[0].message, "add takes numbers");
  EXPECT_EQ(ended.failures[0].type, "std::invalid_argument");
}

TEST(Abort, EndsCommandsAtOnce) {
  const auto stages = "    - {name: a, command: [sleep, '60'], workers: 2, kill_after: 100ms}\n";
  const auto start = Clock::now();
  Runner runner(load(stages, {}).plan, {});
  ASSERT_TRUE(runner.start());
  feed(runner, {"1", "2", "3"});
  std::this_thread::sleep_for(100ms);
  runner.abort("enough");
  Ended ended;
  take_all(runner, ended);
  EXPECT_TRUE(runner.stop(Clock::now() + 10s));
  EXPECT_LT(Clock::now() - start, 10s);
  EXPECT_EQ(ended.failures.size(), 3U);
}

}  // namespace
}  // namespace espalier::pipeline
