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

struct Outcome {
  int code = -1;
  std::string out = {};
  std::string err = {};
};

inline const char* const children = R"(
  - name: web
    command: [sh, -c, "echo web is up; printf 'bad \\033[2J bytes\\n' >&2; exec sleep infinity"]
    graceful_timeout: 500ms
  - name: workers
    children:
      - {name: a, kind: blocking, factory: builtin.idle}
      - {name: b, kind: blocking, factory: builtin.idle}
  - name: pool
    pool: {size: 2, max: 5, template: {kind: blocking, factory: builtin.idle}}
)";

inline const char* const failing = R"(
  - name: flaky
    kind: blocking
    factory: builtin.flaky
    params: {after: 20ms, message: no route to host}
    backoff: {initial: 10ms, max: 20ms, jitter: none}
    child_restart_limit: {max_restarts: 3, window: 60s, on_exhausted: quarantine}
)";

/// A real tree behind a real socket, and verbs as a person would type them into a shell: $E is the
/// program, ESPALIER_SOCKET names the socket.
class RemoteTest : public testing::Test {
 protected:
  RemoteTest() {
    setenv("E", ESPALIER_BINARY, 1);
    setenv("ESPALIER_SOCKET", socket_.c_str(), 1);
    setenv("D", folder_.path("").c_str(), 1);
    unsetenv("COLUMNS");
  }
  ~RemoteTest() override {
    unsetenv("ESPALIER_SOCKET");
    if (tree_) {
      tree_->signal(SIGTERM);
      static_cast<void>(tree_->wait());
    }
  }

  std::string tree_text(const std::string& below) const {
    return "supervisor: {name: demo}\nshutdown: {abort_wait: 300ms}\ndashboard:\n  path: " +
           socket_ + "\n  security: {allowed_commands: [sleep]}\nchildren:" + below;
  }
  void start(const std::string& below = children) {
    file_ = folder_.write("tree.yaml", tree_text(below));
    tree_ = std::make_unique<RunningProgram>(
        folder_, std::vector<std::string>{"run", file_, "--log-format", "text"});
    ASSERT_TRUE(eventually([&] { return sh("$E ping").code == 0; }))
        << tree_->err() << sh("$E ping").err;
  }

  Outcome sh(const std::string& script) const {
    Outcome out;
    const std::string errors = folder_.path("errors");
    FILE* const pipe = popen(("(" + script + ") 2>" + errors + " </dev/null").c_str(), "r");
    if (pipe == nullptr) return out;
    std::array<char, 4096> buffer = {};
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      out.out.append(buffer.data(), n);
    const int status = pclose(pipe);
    out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    out.err = read_file(errors);
    return out;
  }
  void expect_code(const std::string& script, int code) const {
    const Outcome outcome = sh(script);
    EXPECT_EQ(outcome.code, code) << script << "\n" << outcome.out << outcome.err;
  }

  TempFolder folder_;
  std::string socket_ = folder_.path("demo.sock");
  std::string file_;
  std::unique_ptr<RunningProgram> tree_;
};

}  // namespace espalier::cli
