#pragma once

#include "cli/running_program.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace espalier::cli {

struct ShellOutcome {
  int code = -1;
  std::string text = {};
};

inline ShellOutcome sh(const std::string& script) {
  ShellOutcome out;
  FILE* const pipe = popen(("(" + script + ") 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer = {};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.text.append(buffer.data(), n);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

inline const char* const terminal_tree = R"(
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

/// Takes one line after the other of a pipe that a test writes to.
inline const char* const pipeline_tree = R"(
  - name: orders
    kind: pipeline
    factory: builtin.pipeline
    params: {file: FOLDER/shop.yaml, input: FOLDER/orders}
)";

/// A real tree, and a shell on a real terminal: that of a tmux of its own.
class TerminalTest : public testing::Test {
 protected:
  ~TerminalTest() override {
    if (!tmux_.empty()) sh(tmux_ + " kill-server");
    if (tree_) {
      tree_->signal(SIGTERM);
      static_cast<void>(tree_->wait());
    }
  }

  void start_tree(const std::string& children = terminal_tree) {
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
  void open_shell(int columns, int rows) {
    tmux_ = "tmux -S " + folder_.path("tmux") + " -f /dev/null";
    const ShellOutcome made =
        sh("LC_ALL=C.UTF-8 " + tmux_ + " -u new-session -d -x " + std::to_string(columns) + " -y " +
           std::to_string(rows) + " \"env PS1='prompt> ' ESPALIER_SOCKET=" + socket_ +
           " E=" + program_ + " sh\"");
    ASSERT_EQ(made.code, 0) << made.text;
    sh(tmux_ + " set -g status off");
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

}  // namespace espalier::cli
