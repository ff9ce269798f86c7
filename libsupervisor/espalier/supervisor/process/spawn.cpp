#include "espalier/supervisor/process/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>

namespace espalier::supervisor {

namespace {

enum class Step : std::uint8_t {
  none,
  orphaned,
  process_group,
  stdio,
  limits,
  nice,
  user,
  parent_death,
  directory,
  exec,
};

/// Lives in the parent's memory, which the child shares until it execs: what goes wrong there is
/// simply written down here.
struct ChildStart {
  const LaunchPlan& plan;
  const ProcessSpec& spec;
  pid_t parent = 0;
  SpawnFds fds = {};
  Step failed = Step::none;
  int error = 0;
  const char* limit = "";
};

// From here to run_child: only async-signal-safe calls, no allocation.

bool reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

bool take_descriptors(const ChildStart& start) {
  for (int fd = 0; fd < 3; ++fd) {
    if (::dup2(start.fds.stdio[fd], fd) < 0) return false;
  }
  const bool inherits = start.fds.inherited >= 0;
  if (inherits && ::dup2(start.fds.inherited, 3) < 0) return false;
  const unsigned first = inherits ? 4 : 3;
  if (::close_range(first, ~0U, 0) == 0) return true;
  rlimit open_files = {};
  ::getrlimit(RLIMIT_NOFILE, &open_files);
  for (rlim_t fd = first; fd < open_files.rlim_cur; ++fd)
    ::close(static_cast<int>(fd));
  return true;
}

bool set_limits(ChildStart& start) {
  for (const auto& limit : start.plan.limits) {
    start.limit = limit.name;
    if (::setrlimit(limit.which, &limit.value) != 0) return false;
  }
  return true;
}

/// By the bare system calls: those of the C library would also change the other threads of the
/// process whose memory this is.
bool take_identity(const std::optional<Identity>& identity) {
  if (!identity) return true;
  const auto& [uid, gid, groups] = *identity;
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0 &&
         ::syscall(SYS_setresgid, gid, gid, gid) == 0 &&
         ::syscall(SYS_setresuid, uid, uid, uid) == 0;
}

Step become_the_program(ChildStart& start) {
  const auto& spec = start.spec;
  if (::setpgid(0, 0) != 0) return Step::process_group;
  if (!reset_signals() || !take_descriptors(start)) return Step::stdio;
  if (!set_limits(start)) return Step::limits;
  if (spec.nice && ::setpriority(PRIO_PROCESS, 0, *spec.nice) != 0) return Step::nice;
  if (!take_identity(start.plan.identity)) return Step::user;
  // After the change of user, which clears it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return Step::parent_death;
  if (::getppid() != start.parent) return Step::orphaned;
  if (spec.umask) ::umask(static_cast<mode_t>(*spec.umask));
  if (!spec.cwd.empty() && ::chdir(spec.cwd.c_str()) != 0) return Step::directory;
  ::execve(start.plan.program.c_str(), start.plan.argv.data(), start.plan.envp.data());
  return Step::exec;
}

int run_child(void* argument) {
  auto& start = *static_cast<ChildStart*>(argument);
  const auto failed = become_the_program(start);
  start.error = errno;
  start.failed = failed;
  ::_exit(127);
}

std::string because(int error) {
  return ": " + std::generic_category().message(error);
}

std::string explain(const ChildStart& start) {
  const auto& spec = start.spec;
  const auto why = because(start.error);
  switch (start.failed) {
    case Step::limits:
      return "cannot set the limit of " + std::string{start.limit} + why;
    case Step::nice:
      return "cannot set nice to " + std::to_string(*spec.nice) + why;
    case Step::user:
      return "cannot become user \"" + spec.user + "\" group \"" + spec.group + "\"" + why;
    case Step::directory:
      return "cannot change to directory \"" + spec.cwd + "\"" + why;
    case Step::orphaned:
      return "the supervisor ended while it started a process";
    case Step::exec:
      break;
    default:
      return "cannot prepare a process for \"" + spec.command.front() + "\"" + why;
  }
  if (start.error == ENOENT && ::access(start.plan.program.c_str(), F_OK) == 0) {
    return "cannot run \"" + spec.command.front() + "\": the interpreter that " +
           start.plan.program + " asks for (its #! line or loader) does not exist";
  }
  return "cannot run \"" + spec.command.front() + "\"" + why + " (" + start.plan.program + ")";
}

}  // namespace

Spawned spawn(const LaunchPlan& plan, const ProcessSpec& spec, const SpawnFds& fds) {
  constexpr std::size_t stack_size = 64 * 1024;
  struct alignas(16) Stack {
    std::byte bytes[stack_size];
  };
  const auto stack = std::make_unique<Stack>();
  ChildStart start{plan, spec, ::getpid(), fds, Step::none, 0, ""};
  int pidfd = -1;
  Spawned result;
  result.pid = ::clone(run_child, stack->bytes + stack_size,
                       CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
  if (result.pid < 0) {
    result.problem = "cannot start a process for \"" + spec.command.front() + "\"" + because(errno);
    return result;
  }
  result.pidfd = UniqueFd{pidfd};
  if (start.failed == Step::none) return result;
  ::waitid(P_PID, static_cast<id_t>(result.pid), nullptr, WEXITED);
  result.problem = explain(start);
  result.misconfigured = start.failed >= Step::limits;
  result.pid = -1;
  result.pidfd.reset();
  return result;
}

}  // namespace espalier::supervisor
