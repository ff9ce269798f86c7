// What a person is asked on a terminal before something goes down, and what each answer does.
#include "cli/terminal_fixture.hpp"

#include <gmock/gmock.h>

namespace espalier::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConfirmTest : public TerminalTest {
 protected:
  void SetUp() override {
    start_tree();
    open_shell(80, 24);
    ASSERT_TRUE(shows("prompt>"));
  }
  // The exit status is printed with a number of ours, so that each answer is waited for.
  void run(const std::string& command) {
    type("'clear; " + command + "; echo \"end" + std::to_string(++runs_) + ":$?\"' Enter");
  }
  [[nodiscard]] bool ends_with(int code) {
    return shows("end" + std::to_string(runs_) + ":" + std::to_string(code));
  }
  [[nodiscard]] bool is_there(const std::string& path) const {
    return sh(program_ + " show " + path + " --socket " + socket_).code == 0;
  }
  int runs_ = 0;
};

TEST_F(ConfirmTest, OnlyAYesIsAYes) {
  const std::string restart = "$E restart \"/workers/*\"";
  const std::string question = "Restart /workers/a, /workers/b? [y/N]";
  for (const std::string answer : {"Enter", "n Enter", "yess Enter", "C-d"}) {
    run(restart);
    ASSERT_TRUE(shows(question)) << screen();
    type(answer);
    ASSERT_TRUE(ends_with(1)) << answer << "\n" << screen();
    EXPECT_THAT(screen(), HasSubstr("nothing was changed")) << answer;
  }
  EXPECT_THAT(attempt_of("/workers/a"), HasSubstr("generation    1"));
  for (const std::string answer : {"y Enter", "yes Enter"}) {
    run(restart);
    ASSERT_TRUE(shows(question)) << screen();
    type(answer);
    ASSERT_TRUE(ends_with(0)) << answer << "\n" << screen();
    EXPECT_THAT(screen(), HasSubstr("restart: 2 of 2 children done")) << answer;
  }
  EXPECT_THAT(attempt_of("/workers/a"), HasSubstr("generation    3"));
}

TEST_F(ConfirmTest, CtrlCAtTheQuestionChangesNothing) {
  run("$E remove /workers/a");
  ASSERT_TRUE(shows("Remove /workers/a? [y/N]")) << screen();
  type("C-c");
  type("'echo status:$?' Enter");
  EXPECT_TRUE(shows("status:130")) << screen();
  EXPECT_TRUE(is_there("/workers/a"));
}

TEST_F(ConfirmTest, WhatCannotBeUndoneAlwaysAsks) {
  run("$E remove /workers/a");
  ASSERT_TRUE(shows("Remove /workers/a? [y/N]")) << screen();
  type("y Enter");
  ASSERT_TRUE(ends_with(0)) << screen();
  EXPECT_FALSE(is_there("/workers/a"));
  for (const std::string verb : {"reload", "shutdown"}) {
    run("$E " + verb);
    ASSERT_TRUE(shows("? [y/N]")) << screen();
    type("n Enter");
    ASSERT_TRUE(ends_with(1)) << verb << "\n" << screen();
  }
  EXPECT_TRUE(is_there("/workers/b"));
}

TEST_F(ConfirmTest, OneChildAndWhoSaidYesAreNotAsked) {
  for (const std::string command :
       {"restart /web", "stop /workers/b", "restart --yes \"/workers/*\"",
        "remove --dry-run /workers/a"}) {
    run("$E " + command);
    ASSERT_TRUE(ends_with(0)) << screen();
    EXPECT_THAT(screen(), Not(HasSubstr("[y/N]"))) << command;
  }
}

TEST_F(ConfirmTest, AsksAlsoWhereOnlyTheAnswerGoesElsewhere) {
  run("$E remove /workers/a | cat >/dev/null");
  ASSERT_TRUE(shows("Remove /workers/a? [y/N]")) << screen();
  type("n Enter");
  ASSERT_TRUE(ends_with(0)) << screen();
  run("$E remove /workers/a </dev/null");
  ASSERT_TRUE(ends_with(2)) << screen();
  EXPECT_THAT(screen(), HasSubstr("add --yes"));
  EXPECT_TRUE(is_there("/workers/a"));
}

}  // namespace
}  // namespace espalier::cli
