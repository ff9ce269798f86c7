#include "cli/running_program.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::cli {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Json = nlohmann::json;

const char* const unlucky =
    "pipeline:\n  name: shop\n  stages:\n"
    "    - {name: price, command: [sh, -c, 'read n; test $n != 13 && echo $n']}\n";

/// `espalier run` with a child that runs builtin.pipeline.
class PipelineChildProgram : public testing::Test {
 protected:
  ~PipelineChildProgram() override {
    if (tree_) stop();
  }
  void start(const std::string& pipeline, const std::string& more_params) {
    static_cast<void>(folder_.write("shop.yaml", pipeline));
    const auto file = folder_.write(
        "tree.yaml",
        "supervisor: {name: demo}\nchildren:\n"
        "  - name: orders\n    kind: pipeline\n    factory: builtin.pipeline\n"
        "    restart: transient\n    graceful_timeout: 30s\n    params: {file: " +
            folder_.path("shop.yaml") + ", input: " + folder_.path("orders") + more_params + "}\n");
    tree_ = std::make_unique<RunningProgram>(
        folder_, std::vector<std::string>{"run", file, "--log-format", "text"});
  }
  int stop() {
    tree_->signal(SIGTERM);
    const int code = tree_->wait();
    err_ = tree_->err();
    tree_ = nullptr;
    return code;
  }
  [[nodiscard]] std::vector<std::string> lines(const std::string& name) const {
    std::vector<std::string> found;
    std::istringstream in(read_file(folder_.path(name)));
    for (std::string line; std::getline(in, line);)
      found.push_back(line);
    return found;
  }

  TempFolder folder_;
  std::unique_ptr<RunningProgram> tree_;
  std::string err_;
};

TEST_F(PipelineChildProgram, WritesResultsAndDeadLettersThatPipelineRunReplays) {
  static_cast<void>(folder_.write("orders", "1\n13\nno json\n2\n"));
  start(unlucky,
        ", output: " + folder_.path("results") + ", dead_letters: " + folder_.path("dead"));
  EXPECT_TRUE(
      eventually([&] { return lines("results").size() == 2 && lines("dead").size() == 2; }));
  stop();
  EXPECT_THAT(lines("results"), UnorderedElementsAre("1", "2"));
  auto letters = lines("dead");
  ASSERT_EQ(letters.size(), 2U) << err_;
  std::sort(letters.begin(), letters.end());
  const auto failed = Json::parse(letters[0]);
  EXPECT_EQ(failed["id"], "2");
  EXPECT_EQ(failed["line"], 2);
  EXPECT_EQ(failed["stage"], "price");
  EXPECT_EQ(failed["kind"], "failed");
  EXPECT_EQ(failed["input"], 13);
  const auto unreadable = Json::parse(letters[1]);
  EXPECT_EQ(unreadable["kind"], "refused");
  EXPECT_EQ(unreadable["text"], "no json");

  const auto mended =
      folder_.write("mended.yaml", "pipeline:\n  stages:\n    - {name: price, command: [cat]}\n");
  RunningProgram replay(folder_, {"pipeline", "run", mended, "--replay", folder_.path("dead"),
                                  "--dead-letters", folder_.path("again")});
  EXPECT_EQ(replay.wait(), exit_some_failed);
  EXPECT_EQ(replay.out(), "13\n");
}

TEST_F(PipelineChildProgram, WithoutDeadLettersALineThatIsNoItemFailsTheChild) {
  static_cast<void>(folder_.write("orders", "1\nno json\n"));
  start(unlucky, ", output: " + folder_.path("results"));
  EXPECT_TRUE(eventually([&] { return tree_->err().find("line 2") != std::string::npos; }))
      << tree_->err();
}

TEST_F(PipelineChildProgram, DeadLettersThatCannotBeWrittenFailTheChild) {
  static_cast<void>(folder_.write("orders", "1\n"));
  start(unlucky, ", dead_letters: " + folder_.path("nowhere/dead"));
  EXPECT_TRUE(eventually([&] {
    return tree_->err().find("cannot write dead letters to") != std::string::npos;
  })) << tree_->err();
}

TEST_F(PipelineChildProgram, AStopEndsAWaitForTheNextLine) {
  ASSERT_EQ(mkfifo(folder_.path("orders").c_str(), 0600), 0);
  start(unlucky, ", output: " + folder_.path("results"));
  const std::string one = "sh -c 'echo 1; exec sleep 20' >" + folder_.path("orders") + " &";
  ASSERT_EQ(std::system(one.c_str()), 0);
  EXPECT_TRUE(eventually([&] { return lines("results").size() == 1; }));
  const auto before = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{10});
}

}  // namespace
}  // namespace espalier::cli
