#include "espalier/supervisor/process/guardian.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace espalier::supervisor {
namespace {

/// A process of ours that leads a group of its own.
pid_t leader() {
  const auto pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::execlp("sleep", "sleep", "300", nullptr);
    ::_exit(127);
  }
  ::setpgid(pid, pid);
  return pid;
}

bool has_ended(pid_t pid) {
  return ::waitpid(pid, nullptr, WNOHANG) == pid;
}

void end(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

// The number of a group that has ended may be somebody else's by now.
TEST(Guardian, KillsOnlyGroupsThatHaveNotEnded) {
  const auto over = leader();
  const auto running = leader();
  const auto supervisor = ::fork();
  if (supervisor == 0) {
    const auto guardian = Guardian::start();
    guardian->group_began(over);
    guardian->group_began(running);
    guardian->group_ended(over);
    ::_exit(0);  // Without a goodbye.
  }
  ::waitpid(supervisor, nullptr, 0);
  for (int i = 0; i < 500 && !has_ended(running); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  EXPECT_FALSE(has_ended(over));
  EXPECT_EQ(::kill(running, 0), -1) << "it was to be killed";
  end(over);
}

TEST(Guardian, AGoodbyeKillsNobody) {
  const auto running = leader();
  {
    const auto guardian = Guardian::start();
    guardian->group_began(running);
  }
  EXPECT_FALSE(has_ended(running)) << "and the guardian is gone";
  end(running);
}

}  // namespace
}  // namespace espalier::supervisor
