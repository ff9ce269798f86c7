#include "cli/terminal_fixture.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The dashboard, typed into a shell, so that it is seen what it leaves behind.
class TopRealTest : public TerminalTest {
 protected:
  void open(int columns, int rows, const std::string& options = "") {
    open_shell(columns, rows);
    const std::string script = folder_.write(
        "top.sh", "echo $$ >" + folder_.path("pid") + "\nexec $E top " + options + "\n");
    type("'sh " + script + "; echo left:$?' Enter");
  }
};

TEST_F(TopRealTest, LooksMovesRestartsAndLeavesTheTerminalAsItWas) {
  start_tree();
  open(80, 24);
  ASSERT_TRUE(shows("workers")) << screen();
  EXPECT_THAT(screen(), AllOf(HasSubstr("espalier top  demo"), HasSubstr("workers"),
                              HasSubstr("PHASE"), HasSubstr("q quit")));
  const std::string before = attempt_of("/web");
  type("j r");
  ASSERT_TRUE(shows("restart /web? y/N")) << screen();
  type("y");
  EXPECT_TRUE(eventually([&] { return attempt_of("/web") != before; })) << screen();
  type("Enter");
  ASSERT_TRUE(shows("generation    2")) << screen();
  type("q");
  type("/ work Enter");
  ASSERT_TRUE(shows("filter: work")) << screen();
  EXPECT_THAT(screen(), AllOf(HasSubstr("workers"), Not(HasSubstr("pool"))));
  type("Escape");
  ASSERT_TRUE(shows("pool")) << screen();
  type("4 a");
  EXPECT_TRUE(shows("web is up")) << screen();
  type("3");
  EXPECT_TRUE(shows("child_")) << screen();
  type("q q");
  ASSERT_TRUE(shows("left:0")) << screen();
  EXPECT_THAT(screen(), Not(HasSubstr("espalier top  demo")));
  type("'stty -a | tr \" \" \"\\n\" | grep -cx -e icanon -e echo' Enter");
  EXPECT_TRUE(shows("\n2\n")) << screen();
}

TEST_F(TopRealTest, TheDetailOfAPipelineFollowsItsItems) {
  static_cast<void>(folder_.write(
      "shop.yaml",
      "pipeline:\n  name: shop\n  stages:\n"
      "    - {name: price, command: [sh, -c, 'read n; test $n != 13 && echo $n']}\n"));
  ASSERT_EQ(mkfifo(folder_.path("orders").c_str(), 0600), 0);
  std::string children = pipeline_tree;
  for (std::size_t at = 0; (at = children.find("FOLDER")) != std::string::npos;)
    children.replace(at, 6, folder_.path(""));
  // For reading, too: so neither the program nor the test waits for the other to open it.
  const ::espalier::supervisor::UniqueFd orders(
      ::open(folder_.path("orders").c_str(), O_RDWR | O_CLOEXEC));
  const auto order = [&](const std::string& line) {
    ASSERT_EQ(::write(orders.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  };
  start_tree(children);
  open(80, 24);
  ASSERT_TRUE(shows("orders")) << screen();
  type("j Enter");
  ASSERT_TRUE(shows("0 of 0 ended")) << screen();
  order("1\n13\n2\n");
  EXPECT_TRUE(shows("3 of 3 ended, 2 succeeded, 1 failed")) << screen();
  EXPECT_TRUE(shows("/s")) << screen();
  EXPECT_THAT(screen(), AllOf(HasSubstr("STAGE"), HasSubstr("price")));
  order("4\n");
  EXPECT_TRUE(shows("4 of 4 ended")) << screen();
}

TEST_F(TopRealTest, AWideTerminalShowsMoreAndALostTargetIsStaleUntilItIsBack) {
  start_tree();
  open(200, 50);
  ASSERT_TRUE(shows("MEMORY")) << screen();
  EXPECT_TRUE(shows("iB")) << screen();
  sh(tmux_ + " resize-window -x 80 -y 24");
  EXPECT_TRUE(eventually([&] { return screen().find("MEMORY") == std::string::npos; })) << screen();
  tree_->signal(SIGKILL);
  static_cast<void>(tree_->wait());
  ASSERT_TRUE(shows("stale since")) << screen();
  EXPECT_THAT(screen(), HasSubstr("workers"));
  start_tree();
  EXPECT_TRUE(eventually([&] {
    const std::string now = screen();
    return now.find("stale") == std::string::npos && now.find("live") != std::string::npos;
  })) << screen();
  type("C-c");
  EXPECT_TRUE(shows("left:130")) << screen();
}

TEST_F(TopRealTest, ATargetThatHangsIsStaleAndTheKeyboardStillWorks) {
  start_tree();
  open(80, 24);
  ASSERT_TRUE(shows("workers")) << screen();
  tree_->signal(SIGSTOP);
  type("j r");
  ASSERT_TRUE(shows("restart /web? y/N")) << screen();
  type("y");
  EXPECT_TRUE(shows("restart /web: No answer")) << screen();
  ASSERT_TRUE(shows("stale since")) << screen();
  type("j r");
  EXPECT_TRUE(shows("nothing can be commanded")) << screen();
  tree_->signal(SIGCONT);
  EXPECT_TRUE(shows("live")) << screen();
  EXPECT_THAT(attempt_of("/web"), HasSubstr("generation    1"));
  type("q");
  EXPECT_TRUE(shows("left:0")) << screen();
}

TEST_F(TopRealTest, SigtermRestoresTheTerminalAndReadOnlyCommandsNothing) {
  start_tree();
  open(80, 24, "--readonly");
  ASSERT_TRUE(shows("read-only")) << screen();
  type("j r");
  EXPECT_TRUE(shows("commands are turned off")) << screen();
  const int pid = std::atoi(read_file(folder_.path("pid")).c_str());
  ASSERT_GT(pid, 1);
  ASSERT_EQ(kill(pid, SIGTERM), 0);
  ASSERT_TRUE(shows("left:143")) << screen();
  EXPECT_THAT(screen(), Not(HasSubstr("read-only")));
}

TEST_F(TopRealTest, WithoutATerminalItSaysWhatToUseAndOncePrintsAPicture) {
  const ShellOutcome refused = sh(program_ + " top --socket " + socket_);
  EXPECT_EQ(refused.code, exit_usage);
  EXPECT_THAT(refused.text, AllOf(HasSubstr("espalier status"), HasSubstr("espalier events")));
  EXPECT_EQ(sh(program_ + " top --once --socket " + socket_).code, exit_not_running);
  start_tree();
  const ShellOutcome once = sh(program_ + " top --once --socket " + socket_);
  EXPECT_EQ(once.code, exit_done);
  EXPECT_THAT(once.text, AllOf(HasSubstr("demo"), HasSubstr("workers"), HasSubstr("ready"),
                               Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace espalier::cli
