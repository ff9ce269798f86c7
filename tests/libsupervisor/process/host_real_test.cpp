#include "espalier/supervisor/process/guardian.hpp"
#include "recorder.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

std::size_t open_descriptors() {
  using Iterator = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Iterator{"/proc/self/fd"}, Iterator{}));
}

long resident_kib() {
  std::ifstream in{"/proc/self/status"};
  for (std::string word; in >> word;) {
    if (word == "VmRSS:") {
      long kib = 0;
      in >> kib;
      return kib;
    }
  }
  return 0;
}

/// Alive means neither gone nor a zombie nobody has fetched.
bool is_alive(std::int64_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto name_end = text.rfind(") ");
  return name_end != std::string::npos && text[name_end + 2] != 'Z' && text[name_end + 2] != 'X';
}

bool dies_soon(std::int64_t pid) {
  for (int i = 0; i < 500; ++i) {
    if (!is_alive(pid)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

std::int64_t first_number(const Launched& process) {
  process.heard->wait([&] { return !process.heard->lines.empty(); });
  return process.heard->lines.empty() ? 0 : std::atoll(process.heard->lines[0].text.c_str());
}

TEST(Output, BothStreamsLineByLineAndTheLastWithoutNewline) {
  ProcessHost host;
  const auto process = launch(host, shell("echo one; echo two >&2; printf three"));
  process.heard->wait_exit();
  std::string out;
  std::string err;
  for (const auto& line : process.heard->lines)
    (line.is_stderr ? err : out) += line.text + "|";
  EXPECT_EQ(out, "one|three|");
  EXPECT_EQ(err, "two|");
}

TEST(Output, ALongLineIsTruncated) {
  ProcessHost host;
  const auto process = launch(host, shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo end"));
  process.heard->wait_exit();
  ASSERT_EQ(process.heard->lines.size(), 2U);
  EXPECT_TRUE(process.heard->lines[0].truncated);
  EXPECT_EQ(process.heard->lines[0].text.size(), 8192U);
  EXPECT_EQ(process.heard->lines[1].text, "end");
}

TEST(Output, AFloodNeitherGrowsMemoryNorKeepsOthersWaiting) {
  ProcessHost host;
  const auto before = resident_kib();
  const auto flood = launch(host, shell("head -c 1000000000 /dev/zero | tr '\\0' x"));
  flood.heard->wait_pid();
  EXPECT_EQ(launch(host, command({"true"})).heard->wait_exit().kind, ExitKind::completed);
  EXPECT_EQ(flood.heard->wait_exit().kind, ExitKind::completed);
  EXPECT_EQ(flood.heard->line_count, 1U);
  EXPECT_LT(resident_kib() - before, 20 * 1024);
}

TEST(Output, AStrangerWhoHoldsThePipeDelaysNothing) {
  ProcessHost host{{true, {}}};
  const auto process = launch(host, shell("setsid sh -c 'echo said; exec sleep 300' & sleep 0.2"));
  EXPECT_EQ(process.heard->wait_exit().kind, ExitKind::completed);
  EXPECT_EQ(process.heard->output(), "said\n");
  host.end_leftovers();
}

TEST(Notify, UnderstandsSdNotify) {
  ProcessHost host;
  const auto process = launch(host, command({"python3", "-c", R"(
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = os.environ["NOTIFY_SOCKET"]
s.connect("\0" + address[1:] if address[0] == "@" else address)
s.send(b"EXTEND_TIMEOUT_USEC=2000000\nSTATUS=warming up")
s.send(b"READY=1\nSTATUS=serving\n")
s.send(b"WATCHDOG=1")
s.send(b"WATCHDOG=trigger")
r, w = os.pipe()
socket.send_fds(s, [b"BARRIER=1"], [w])
os.close(w)
assert os.read(r, 1) == b""
print(os.environ["WATCHDOG_USEC"])
)"}),
                              "/test", std::chrono::seconds{3});
  EXPECT_EQ(process.heard->wait_exit().kind, ExitKind::completed) << process.heard->output();
  EXPECT_EQ(process.heard->ready, 1);
  EXPECT_EQ(process.heard->alive, 1);
  EXPECT_EQ(process.heard->extended, Duration{std::chrono::seconds{2}});
  EXPECT_THAT(process.heard->status,
              ::testing::ElementsAre("warming up", "serving", ::testing::HasSubstr("trigger")));
  EXPECT_EQ(process.heard->output(), "3000000\n");
}

TEST(Stop, ReachesTheWholeGroup) {
  ProcessHost host;
  const auto process = launch(host, shell("exec 2>/dev/null; "
                                          "trap 'wait; echo outer; exit 0' TERM; "
                                          "(trap 'echo inner; exit' TERM; echo up; "
                                          "while :; do sleep 0.05; done) & wait"));
  ASSERT_TRUE(process.heard->wait_line("up"));
  host.stop(process.token);
  const auto exit = process.heard->wait_exit();
  EXPECT_EQ(exit.code, 0) << exit.signal.value_or(0);
  EXPECT_EQ(process.heard->output(), "up\ninner\nouter\n");
}

TEST(Stop, ReachesAProcessThatIsSuspended) {
  ProcessHost host;
  // Without a handler the signal would end it where it is.
  const auto process =
      launch(host, shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"));
  ASSERT_TRUE(process.heard->wait_line("up"));
  ::kill(static_cast<pid_t>(process.heard->wait_pid()), SIGSTOP);
  host.stop(process.token);
  EXPECT_EQ(process.heard->wait_exit().code, 3);
}

TEST(Stop, UsesTheConfiguredSignal) {
  ProcessHost host;
  auto spec = command({"sleep", "300"});
  spec.stop_signal = SIGUSR1;
  const auto process = launch(host, spec);
  host.stop(process.token);
  EXPECT_EQ(process.heard->wait_exit().signal, SIGUSR1);
}

TEST(Stop, AbortEndsWhatIgnoresTheStopSignal) {
  ProcessHost host;
  const auto process = launch(host, shell("trap '' TERM; echo up; while :; do sleep 1; done"));
  ASSERT_TRUE(process.heard->wait_line("up"));
  host.stop(process.token);
  EXPECT_EQ(host.running(), 1U);
  host.abort(process.token);
  EXPECT_EQ(process.heard->wait_exit().signal, SIGKILL);
  EXPECT_EQ(host.running(), 0U);
}

TEST(Stop, AbortEndsOneThatLeftItsGroupToOthers) {
  ProcessHost host;
  const auto process =
      launch(host, command({"perl", "-e",
                            "$| = 1; if (!fork) { sleep 300; exit }"
                            " setpgrp(0, getpgrp(getppid())); print \"left\\n\"; sleep 300"}));
  ASSERT_TRUE(process.heard->wait_line("left"));
  host.abort(process.token);
  EXPECT_EQ(process.heard->wait_exit().signal, SIGKILL);
}

TEST(Stop, MayRaceWithTheExit) {
  ProcessHost host;
  for (int i = 0; i < 50; ++i) {
    const auto process = launch(host, command({"true"}));
    host.stop(process.token);
    const auto exit = process.heard->wait_exit();
    EXPECT_TRUE(exit.kind == ExitKind::completed || exit.signal == SIGTERM);
    host.stop(process.token);
    host.abort(process.token);
    EXPECT_EQ(process.heard->exits, 1);
  }
}

TEST(Group, GoesWithItsLeader) {
  ProcessHost host;
  const auto process = launch(host, shell("sleep 300 & echo $!"));
  EXPECT_EQ(process.heard->wait_exit().kind, ExitKind::completed);
  EXPECT_TRUE(dies_soon(first_number(process)));
}

TEST(Leftovers, ADescendantOutsideTheGroupIsFoundAndEnded) {
  ProcessHost host{{true, {}}};
  const auto process = launch(host, shell("setsid sleep 300 & echo $!; sleep 0.2"), "/db");
  process.heard->wait_exit();
  const auto pid = first_number(process);
  ASSERT_TRUE(is_alive(pid));
  const auto found = host.end_leftovers();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pid, pid);
  EXPECT_EQ(found[0].path, "/db");
  EXPECT_EQ(found[0].command, "sleep 300");
  EXPECT_FALSE(is_alive(pid));
  EXPECT_TRUE(host.end_leftovers().empty());
}

TEST(Leftovers, WhatBelongsToARunningProcessIsLeftAlone) {
  ProcessHost host{{true, {}}};
  const auto process = launch(host, shell("setsid sh -c 'echo $$; exec sleep 300' & wait"));
  const auto pid = first_number(process);
  EXPECT_TRUE(host.end_leftovers().empty());
  EXPECT_TRUE(is_alive(pid));
  host.abort(process.token);
  process.heard->wait_exit();
  EXPECT_EQ(host.end_leftovers().size(), 1U);
}

TEST(Leftovers, ChildrenOfTheEmbeddingProgramAreLeftAlone) {
  ProcessHost host;
  const auto mine = ::fork();
  if (mine == 0) {
    ::execlp("sleep", "sleep", "300", nullptr);
    ::_exit(1);
  }
  EXPECT_TRUE(host.end_leftovers().empty());
  EXPECT_TRUE(is_alive(mine));
  launch(host, command({"true"})).heard->wait_exit();
  ::kill(mine, SIGTERM);
  int status = 0;
  EXPECT_EQ(::waitpid(mine, &status, 0), mine);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(Many, TwoHundredAtOnce) {
  ProcessHost host;
  std::vector<Launched> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(launch(host, command({"sleep", "300"})));
  for (const auto& process : all)
    EXPECT_NE(process.heard->wait_pid(), 0);
  EXPECT_EQ(host.running(), 200U);
  for (const auto& process : all)
    host.stop(process.token);
  for (const auto& process : all)
    EXPECT_EQ(process.heard->wait_exit().signal, SIGTERM);
  EXPECT_EQ(host.running(), 0U);
}

TEST(Many, LaunchesLeakNoDescriptor) {
  ProcessHost host;
  launch(host, command({"true"})).heard->wait_exit();
  host.end_leftovers();  // Runs after the last exit has been cleared away.
  const auto before = open_descriptors();
  for (int i = 0; i < 200; ++i)
    launch(host, command({"true"})).heard->wait_exit();
  for (int i = 0; i < 20; ++i)
    launch(host, command({"nosuchprog"})).heard->wait_exit();
  host.end_leftovers();
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Host, ItsEndEndsWhatRunsAndSaysSo) {
  std::shared_ptr<Recorder> heard;
  {
    ProcessHost host;
    heard = launch(host, shell("trap '' TERM; sleep 300")).heard;
  }
  EXPECT_EQ(heard->exits, 1);
  EXPECT_EQ(heard->wait_exit().signal, SIGKILL);
}

/// Runs a host in a process of its own, which prints the pids its script prints, and kills it.
std::vector<std::int64_t> pids_after_kill_of_a_host(bool guarded, const std::string& script) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(ends), 0);
  const auto host_process = ::fork();
  if (host_process == 0) {
    ProcessHost::Options options;
    if (guarded) options.guardian = Guardian::start();
    ProcessHost host{options};
    const auto process = launch(host, shell(script));
    process.heard->wait([&] { return process.heard->lines.size() >= 2; });
    const auto text = process.heard->output();
    if (::write(ends[1], text.data(), text.size()) < 0) ::_exit(1);
    for (;;)
      ::pause();
  }
  std::vector<std::int64_t> pids;
  std::string text;
  while (std::count(text.begin(), text.end(), '\n') < 2) {
    char part[64];
    const auto size = ::read(ends[0], part, sizeof part);
    if (size <= 0) break;
    text.append(part, static_cast<std::size_t>(size));
  }
  std::istringstream in{text};
  for (std::int64_t pid = 0; in >> pid;)
    pids.push_back(pid);
  ::kill(host_process, SIGKILL);
  ::waitpid(host_process, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  return pids;
}

TEST(Host, ItsProcessesDieWhenItIsKilled) {
  const auto pids = pids_after_kill_of_a_host(false, "echo $$; echo 1; exec sleep 300");
  ASSERT_EQ(pids.size(), 2U);
  EXPECT_TRUE(dies_soon(pids[0]));
}

TEST(Guardian, TheirGroupsDieToo) {
  const auto pids = pids_after_kill_of_a_host(true, "echo $$; sleep 300 & echo $!; wait");
  ASSERT_EQ(pids.size(), 2U);
  EXPECT_TRUE(dies_soon(pids[0]));
  EXPECT_TRUE(dies_soon(pids[1]));
}

TEST(Guardian, EndsWithAGoodbye) {
  auto guardian = Guardian::start();
  const auto pid = guardian->pid();
  EXPECT_TRUE(is_alive(pid));
  guardian.reset();
  EXPECT_FALSE(is_alive(pid));
}

}  // namespace
}  // namespace espalier::supervisor::testing
