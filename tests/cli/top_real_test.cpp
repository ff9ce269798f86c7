#include "cli/running_program.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
  int code = -1;
  std::string text = {};
};

Outcome sh(const std::string& script) {
  Outcome out;
  FILE* const pipe = popen(("(" + script + ") 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer = {};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.text.append(buffer.data(), n);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

const char* const children = R"(
  - name: web
    command: [sh, -c, "echo web is up; exec sleep infinity"]
    graceful_timeout: 500ms
  - name: workers
    children:
      - {name: a, kind: blocking, factory: builtin.idle}
      - {name: b, kind: blocking, factory: builtin.idle}
  - name: pool
    pool: {size: 2, max: 5, template: {kind: blocking, factory: builtin.idle}}
)";

/// A real tree, and the dashboard on a real terminal: that of a tmux of its own.
class TopRealTest : public testing::Test {
 protected:
  ~TopRealTest() override {
    if (!tmux_.empty()) sh(tmux_ + " kill-server");
    if (tree_) {
      tree_->signal(SIGTERM);
      static_cast<void>(tree_->wait());
    }
  }

  void start_tree() {
    const std::string file =
        folder_.write("tree.yaml",
                      "supervisor: {name: demo}\nshutdown: {abort_wait: 300ms}\n"
                      "dashboard: {path: " +
                          socket_ + "}\nchildren:" + children);
    tree_ = std::make_unique<RunningProgram>(
        folder_, std::vector<std::string>{"run", file, "--log-format", "text"});
    ASSERT_TRUE(eventually([&] {
      return sh(program_ + " wait / --for ready --socket " + socket_).code == 0;
    })) << tree_->err();
  }
  // A shell in which top is typed, so that it is seen what it leaves behind.
  void open(int columns, int rows, const std::string& options = "") {
    tmux_ = "tmux -S " + folder_.path("tmux") + " -f /dev/null";
    const Outcome made =
        sh("LC_ALL=C.UTF-8 " + tmux_ + " -u new-session -d -x " + std::to_string(columns) + " -y " +
           std::to_string(rows) + " \"env PS1='prompt> ' sh\"");
    ASSERT_EQ(made.code, 0) << made.text;
    sh(tmux_ + " set -g status off");
    const std::string script =
        folder_.write("top.sh", "echo $$ >" + folder_.path("pid") + "\nexec " + program_ +
                                    " top --socket " + socket_ + " " + options + "\n");
    type("'sh " + script + "; echo left:$?' Enter");
  }
  void type(const std::string& keys) const { sh(tmux_ + " send-keys " + keys); }
  [[nodiscard]] std::string screen() const { return sh(tmux_ + " capture-pane -p").text; }
  [[nodiscard]] bool shows(const std::string& text) const {
    return eventually([&] { return screen().find(text) != std::string::npos; });
  }
  [[nodiscard]] std::string attempt_of(const std::string& path) const {
    return sh(program_ + " show " + path + " --socket " + socket_ + " | grep generation").text;
  }

  std::string program_ = ESPALIER_BINARY;
  TempFolder folder_;
  std::string socket_ = folder_.path("demo.sock");
  std::unique_ptr<RunningProgram> tree_;
  std::string tmux_;
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
  const Outcome refused = sh(program_ + " top --socket " + socket_);
  EXPECT_EQ(refused.code, exit_usage);
  EXPECT_THAT(refused.text, AllOf(HasSubstr("espalier status"), HasSubstr("espalier events")));
  EXPECT_EQ(sh(program_ + " top --once --socket " + socket_).code, exit_not_running);
  start_tree();
  const Outcome once = sh(program_ + " top --once --socket " + socket_);
  EXPECT_EQ(once.code, exit_done);
  EXPECT_THAT(once.text, AllOf(HasSubstr("demo"), HasSubstr("workers"), HasSubstr("ready"),
                               Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace espalier::cli
