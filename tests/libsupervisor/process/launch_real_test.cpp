#include "recorder.hpp"

#include <gmock/gmock.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace espalier::supervisor::testing {
namespace {

using ::testing::HasSubstr;

std::string run_and_read(ProcessSpec spec) {
  ProcessHost host;
  const auto process = launch(host, std::move(spec));
  const auto exit = process.heard->wait_exit();
  EXPECT_EQ(exit.kind, ExitKind::completed) << exit.message << process.heard->output();
  return process.heard->output();
}

ExitRecord run(ProcessSpec spec) {
  ProcessHost host;
  return launch(host, std::move(spec)).heard->wait_exit();
}

TEST(Launch, ExitCodesInTheListAreSuccess) {
  auto spec = shell("exit 3");
  EXPECT_EQ(run(spec).kind, ExitKind::failed);
  EXPECT_EQ(run(spec).code, 3);
  EXPECT_EQ(run(spec).category, FailureCategory::recoverable);
  spec.success_exit_codes = {0, 3};
  EXPECT_EQ(run(spec).kind, ExitKind::completed);
  EXPECT_EQ(run(spec).category, FailureCategory::none);
}

TEST(Launch, ASignalIsKept) {
  const auto exit = run(shell("kill -SEGV $$"));
  EXPECT_EQ(exit.kind, ExitKind::signalled);
  EXPECT_EQ(exit.signal, SIGSEGV);
}

TEST(Launch, SaysWhatIsWrongWithTheProgram) {
  auto spec = command({"nosuchprog"});
  spec.environment["PATH"] = "/usr/bin:/bin";
  const auto exit = run(spec);
  EXPECT_EQ(exit.kind, ExitKind::failed);
  EXPECT_EQ(exit.category, FailureCategory::fatal_config);
  EXPECT_EQ(exit.message, "cannot run \"nosuchprog\": no such file in PATH (/usr/bin:/bin)");
  EXPECT_EQ(run(command({"/no/such"})).message, "cannot run \"/no/such\": no such file (/no/such)");
  EXPECT_THAT(run(command({"/tmp"})).message, HasSubstr("is a directory"));
  EXPECT_THAT(run(command({})).message, HasSubstr("its command is empty"));
}

TEST(Launch, SaysWhichStepFailed) {
  auto spec = command({"true"});
  spec.cwd = "/no/such/dir";
  EXPECT_EQ(run(spec).message,
            "cannot change to directory \"/no/such/dir\": No such file or directory");
  EXPECT_EQ(run(spec).category, FailureCategory::fatal_config) << "another try is of no use";
  spec.cwd.clear();
  spec.user = "nosuchuser";
  EXPECT_EQ(run(spec).message,
            "cannot run \"true\": there is no user \"nosuchuser\" on this machine");
}

TEST(Launch, SaysThatAnInterpreterIsMissing) {
  const auto script = ::testing::TempDir() + "no_interpreter_" + std::to_string(::getpid());
  std::ofstream{script} << "#!/no/such/interpreter\n";
  ::chmod(script.c_str(), 0755);
  EXPECT_THAT(run(command({script})).message, HasSubstr("interpreter"));
  std::filesystem::remove(script);
}

TEST(Launch, AppliesDirectoryUmaskAndNice) {
  auto spec = shell("pwd; umask; nice");
  spec.cwd = "/usr";
  spec.umask = 027;
  spec.nice = 5;
  EXPECT_EQ(run_and_read(spec), "/usr\n0027\n5\n");
}

TEST(Launch, AppliesResourceLimits) {
  auto spec = command({"bash", "-c", "ulimit -v; ulimit -t; ulimit -n; ulimit -c"});
  spec.resource_limits = {512ULL << 20U, 7, 64, 0};
  EXPECT_EQ(run_and_read(spec), "524288\n7\n64\n0\n");
}

TEST(Launch, TheCpuLimitEndsAProcess) {
  auto spec = shell("while :; do :; done");
  spec.resource_limits.cpu_seconds = 1;
  EXPECT_EQ(run(spec).signal, SIGXCPU);
}

TEST(Launch, GivesTheEnvironmentAndNothingOfOurOwnSupervisor) {
  ::setenv("NOTIFY_SOCKET", "/run/of/somebody/else", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  auto spec = shell(
      "echo $ESPALIER_PATH $ESPALIER_GENERATION $MINE ${WATCHDOG_PID-none} "
      "${WATCHDOG_USEC-none}; echo $NOTIFY_SOCKET");
  spec.environment["MINE"] = "yes";
  const auto output = run_and_read(spec);
  EXPECT_THAT(output, HasSubstr("/test 7 yes none none\n@espalier-"));
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_PID");
}

TEST(Launch, ClearsTheEnvironment) {
  ::setenv("INHERITED", "1", 1);
  auto spec = command({"env"});
  EXPECT_THAT(run_and_read(spec), HasSubstr("INHERITED=1"));
  spec.clear_environment = true;
  EXPECT_THAT(run_and_read(spec), ::testing::Not(HasSubstr("INHERITED")));
  ::unsetenv("INHERITED");
}

TEST(Launch, BecomesTheUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  auto spec = shell("id -un; id -u; id -G; echo $USER");
  spec.user = "nobody";
  std::array<gid_t, 64> before = {};
  const auto count = ::getgroups(before.size(), before.data());
  ASSERT_GE(count, 0);
  const gid_t ours = 12345;  // Which it must not keep.
  ASSERT_EQ(::setgroups(1, &ours), 0);
  EXPECT_THAT(run_and_read(spec), HasSubstr("nobody\n65534\n65534\nnobody\n"));
  ::setgroups(static_cast<std::size_t>(count), before.data());
}

TEST(Launch, StartsWithSignalsAsIfNobodyHadTouchedThem) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto output = run_and_read(command({"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}));
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Launch, LeaksNoDescriptorIntoTheProcess) {
  const int open_without_cloexec = ::dup(1);
  const auto output = run_and_read(command({"ls", "/proc/self/fd"}));
  ::close(open_without_cloexec);
  EXPECT_EQ(output, "0\n1\n2\n3\n");  // 3 is the folder ls itself reads.
}

TEST(FindProgram, LooksInThePathOfTheSpec) {
  auto spec = command({"sh"});
  spec.environment["PATH"] = "/nowhere:/bin";
  EXPECT_EQ(find_program(spec).program, "/bin/sh");
  EXPECT_EQ(find_program(spec).problem, "");
  spec.environment["PATH"] = "/nowhere";
  EXPECT_THAT(find_program(spec).problem, HasSubstr("no such file in PATH (/nowhere)"));
}

TEST(FindProgram, ANameWithASlashIsRelativeToTheDirectory) {
  auto spec = command({"bin/env"});
  spec.cwd = "/usr";
  EXPECT_EQ(find_program(spec).program, "/usr/bin/env");
}

TEST(FindProgram, SaysThatAFileIsNotExecutable) {
  EXPECT_THAT(find_program(command({"/etc/passwd"})).problem, HasSubstr("not executable"));
}

}  // namespace
}  // namespace espalier::supervisor::testing
