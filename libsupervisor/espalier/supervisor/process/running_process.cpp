#include "espalier/supervisor/process/running_process.hpp"

#include "espalier/supervisor/process/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>

namespace espalier::supervisor {

namespace {

/// Never 0, 1 or 2: there the child will put its own.
UniqueFd above_stdio(UniqueFd fd) {
  if (fd.get() > 2) return fd;
  UniqueFd moved{::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)};
  if (!moved) throw std::system_error{errno, std::generic_category(), "cannot copy a descriptor"};
  return moved;
}

struct Pipe {
  UniqueFd read = {};
  UniqueFd write = {};
};

Pipe open_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::system_error{errno, std::generic_category(), "cannot open a pipe for its output"};
  }
  Pipe result{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
  // Our end only: the other belongs to a program that expects a blocking one.
  ::fcntl(result.read.get(), F_SETFL, O_NONBLOCK);
  result.write = above_stdio(std::move(result.write));
  return result;
}

UniqueFd open_null() {
  UniqueFd fd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!fd) throw std::system_error{errno, std::generic_category(), "cannot open /dev/null"};
  return above_stdio(std::move(fd));
}

ExitRecord launch_failure(std::string message, bool misconfigured) {
  ExitRecord exit;
  exit.kind = ExitKind::failed;
  exit.category =
      misconfigured ? FailureCategory::fatal_config : FailureCategory::external_dependency;
  exit.message = std::move(message);
  return exit;
}

std::string explain(const LaunchRequest& request, const std::system_error& error) {
  auto message = "cannot start a process for " + request.path + ": " + error.what();
  const auto code = error.code().value();
  if (code == EMFILE) message += "; raise the limit of open files (ulimit -n), 4 per process";
  if (code == ENFILE) message += "; the machine has no more files to open (fs.file-max)";
  return message;
}

ExitRecord to_exit(const siginfo_t& info, const std::vector<int>& success) {
  ExitRecord exit;
  if (info.si_code == CLD_EXITED) {
    exit.code = info.si_status;
    if (std::ranges::find(success, info.si_status) != success.end()) return exit;
    exit.kind = ExitKind::failed;
  } else {
    exit.kind = ExitKind::signalled;
    exit.signal = info.si_status;
    exit.core_dumped = info.si_code == CLD_DUMPED;
  }
  exit.category = FailureCategory::recoverable;
  return exit;
}

}  // namespace

bool OutputPipe::read_once(std::span<char> buffer, ProcessListener& listener) {
  const auto size = ::read(fd(), buffer.data(), buffer.size());
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  const auto sink = [&](std::string line, bool truncated) {
    listener.on_output(is_stderr_, std::move(line), truncated);
  };
  if (size == 0) {
    lines_.finish(sink);
    return false;
  }
  lines_.feed({buffer.data(), static_cast<std::size_t>(size)}, sink);
  return true;
}

void OutputPipe::finish(std::span<char> buffer, ProcessListener& listener) {
  if (!fd_) return;
  // Somebody outside the group may hold the other end, so there may never be an end of file.
  int waiting = 0;
  ::ioctl(fd(), FIONREAD, &waiting);
  for (auto left = static_cast<std::size_t>(waiting); left > 0;) {
    const auto size = std::min(left, buffer.size());
    if (!read_once(buffer.first(size), listener)) break;
    left -= size;
  }
  lines_.finish([&](std::string line, bool truncated) {
    listener.on_output(is_stderr_, std::move(line), truncated);
  });
  fd_.reset();
}

std::unique_ptr<RunningProcess> RunningProcess::launch(LaunchRequest request,
                                                       const HostWorld& world, ProcessToken token) {
  const auto listener = request.listener;
  try {
    std::unique_ptr<CopyLink> link;
    if (request.call) {
      link = std::make_unique<CopyLink>(*request.call);
      request.spec = spec_of_copy(request.path, request.spec);
    }
    NotifySocket notify{"espalier-" + world.host_id + "-" + std::to_string(token)};
    const auto plan = make_launch_plan(request, world, notify.address());
    if (!plan.problem.empty()) {
      listener->on_exit(launch_failure(plan.problem, true));
      return nullptr;
    }
    const auto null = open_null();
    Pipe out;
    Pipe err;
    if (request.spec->log_output) {
      out = open_pipe();
      err = open_pipe();
    }
    const auto writer = [&](const Pipe& pipe) {
      return pipe.write ? pipe.write.get() : null.get();
    };
    const auto copys_end = link ? link->take_copys_end() : UniqueFd{};
    const SpawnFds fds{{null.get(), writer(out), writer(err)}, copys_end.get()};
    auto spawned = spawn(plan, *request.spec, fds);
    if (!spawned.problem.empty()) {
      listener->on_exit(launch_failure(spawned.problem, spawned.misconfigured));
      return nullptr;
    }
    std::unique_ptr<RunningProcess> process{
        new RunningProcess{std::move(request), std::move(notify)}};
    process->link_ = std::move(link);
    process->pid_ = spawned.pid;
    process->pidfd_ = std::move(spawned.pidfd);
    process->uid_ = plan.identity ? plan.identity->uid : ::geteuid();
    process->out_.open(std::move(out.read));
    process->err_.open(std::move(err.read));
    return process;
  } catch (const std::system_error& error) {
    listener->on_exit(launch_failure(explain(request, error), false));
    return nullptr;
  } catch (const std::length_error& error) {
    listener->on_exit(launch_failure("cannot run " + request.path + ": " + error.what(), true));
    return nullptr;
  }
}

void RunningProcess::read_notifications(int most) {
  for (; most > 0; --most) {
    const auto message = notify_.receive(uid_);
    if (!message) return;
    if (message->extend) listener().on_extend(*message->extend);
    if (message->status) listener().on_status(*message->status);
    if (message->unhealthy) listener().on_status("reports itself unhealthy (WATCHDOG=trigger)");
    if (message->alive) listener().on_alive();
    if (message->ready) listener().on_ready();
  }
}

void RunningProcess::signal_group(int number) const {
  if (::kill(-pid_, number) == 0) return;
  ::syscall(SYS_pidfd_send_signal, pidfd(), number, nullptr, 0);
}

void RunningProcess::stop() {
  if (link_) {
    link_->send_stop();
  } else {
    signal_group(request_.spec->stop_signal);
  }
  signal_group(SIGCONT);  // A stopped process would never get to handle it.
}

void RunningProcess::abort() {
  signal_group(SIGKILL);
  // It may have left its group to others.
  ::syscall(SYS_pidfd_send_signal, pidfd(), SIGKILL, nullptr, 0);
}

void RunningProcess::suspend() {
  signal_group(SIGSTOP);
}

void RunningProcess::resume() {
  signal_group(SIGCONT);
}

void RunningProcess::run_out_of_patience() {
  link_->run_out_of_patience();
  abort();
}

bool RunningProcess::has_ended() const {
  siginfo_t info = {};
  const auto flags = WEXITED | WNOWAIT | WNOHANG;
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, flags) != 0 || info.si_pid == pid_;
}

ExitRecord RunningProcess::finish(std::span<char> buffer) {
  ::kill(-pid_, SIGKILL);
  constexpr int queue_at_most = 64;
  read_notifications(queue_at_most);
  out_.finish(buffer, listener());
  err_.finish(buffer, listener());
  siginfo_t info = {};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0) {
    return launch_failure(
        "its exit status is lost: this program ignores SIGCHLD, or somebody "
        "else waits for all children",
        false);
  }
  auto exit = to_exit(info, request_.spec->success_exit_codes);
  if (!link_) return exit;
  // All that it sent waits in the socket, which is bounded.
  constexpr int packets_at_most = 4096;
  std::ignore = link_->read(packets_at_most, pid_, listener());
  return link_->judge(std::move(exit));
}

}  // namespace espalier::supervisor
