#include "espalier/pipeline/declare/internal/command_process.hpp"

#include "espalier/supervisor/os/internal/signals_blocked.hpp"
#include "espalier/supervisor/process/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <system_error>
#include <utility>

namespace espalier::pipeline::internal {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t tail_bytes = 2048;
constexpr int tail_lines = 5;

/// What a stage's process is given must lie above 2, where it puts its own.
UniqueFd above_stdio(UniqueFd fd) {
  if (fd.get() > 2) return fd;
  return UniqueFd{::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)};
}

struct Pipe {
  UniqueFd read = {};
  UniqueFd write = {};
};

bool open_pipe(Pipe& pipe) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  pipe.read = above_stdio(UniqueFd{ends[0]});
  pipe.write = above_stdio(UniqueFd{ends[1]});
  return pipe.read && pipe.write;
}

void make_nonblocking(const UniqueFd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

/// A write to a process that reads no more is an error of that write, not the end of this program,
/// whatever it does about SIGPIPE.
class NoSigpipe {
 public:
  NoSigpipe() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~NoSigpipe() {
    const timespec at_once{};
    if (::sigismember(&before_, SIGPIPE) == 0) {
      while (::sigtimedwait(&set_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t set_{};
  sigset_t before_{};
};

int poll_timeout(Duration left) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(left, Duration::zero()));
  return static_cast<int>(std::min<std::int64_t>(ms.count(), 3'600'000));
}

}  // namespace

/// One question and its answer.
class CommandProcess::Exchange {
 public:
  Exchange(CommandProcess& process, std::string_view input, Until until,
           const std::stop_token& stop)
      : process_(process),
        input_(input),
        until_(until),
        stop_(stop),
        wake_up_(stop, [fd = process.wake_.get()] {
          const std::uint64_t one = 1;
          static_cast<void>(!::write(fd, &one, sizeof one));
        }) {}

  Answer run() {
    if (!process_.in_) sent_ = input_.size();
    while (!done_)
      step();
    return std::move(answer_);
  }

 private:
  void step() {
    if (stop_.stop_requested()) give_up(Answer::Kind::stopped, process_.stop_signal_);
    std::array<pollfd, 5> fds = {{{wants_to_write() ? process_.in_.get() : -1, POLLOUT, 0},
                                  {process_.out_.get(), POLLIN, 0},
                                  {process_.err_.get(), POLLIN, 0},
                                  {process_.pidfd_.get(), POLLIN, 0},
                                  {given_up_ ? -1 : process_.wake_.get(), POLLIN, 0}}};
    const auto timeout = kill_at_ ? poll_timeout(*kill_at_ - Clock::now()) : -1;
    if (::poll(fds.data(), fds.size(), timeout) < 0) return;
    if (kill_at_ && Clock::now() >= *kill_at_) {
      process_.signal_group(SIGKILL);
      kill_at_.reset();
    }
    if (fds[0].revents != 0) write_some();
    if (fds[1].revents != 0) read_out();
    if (fds[2].revents != 0) read_err();
    if (!done_ && fds[3].revents != 0) end();
  }

  [[nodiscard]] bool wants_to_write() const { return process_.in_ && sent_ < input_.size(); }

  void write_some() {
    const auto size = ::write(process_.in_.get(), input_.data() + sent_, input_.size() - sent_);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // Who reads no more of its input may still have an answer.
    sent_ = size < 0 ? input_.size() : sent_ + static_cast<std::size_t>(size);
    if (sent_ == input_.size() && until_ == Until::end) process_.in_.reset();
  }

  /// One read; at the end of the stream the descriptor is closed.
  std::string_view read_some(UniqueFd& fd) {
    const auto size = ::read(fd.get(), buffer_.data(), buffer_.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (size <= 0) fd.reset();
    return {buffer_.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  void read_out() {
    const auto bytes = read_some(process_.out_);
    if (given_up_) return;
    // Who has closed its output can answer nothing more; it should be about to end.
    if (!process_.out_ && until_ == Until::line) kill_at_ = Clock::now() + process_.kill_after_;
    if (answer_.out.size() + bytes.size() > largest_answer) {
      give_up(Answer::Kind::too_long, SIGKILL);
      return;
    }
    answer_.out += bytes;
    if (until_ != Until::line || bytes.find('\n') == std::string_view::npos) return;
    const auto newline = answer_.out.find('\n');
    if (newline + 1 < answer_.out.size()) {
      give_up(Answer::Kind::chatty, process_.stop_signal_);
      return;
    }
    answer_.out.resize(newline);
    answer_.kind = Answer::Kind::line;
    done_ = true;
  }

  void read_err() {
    auto& tail = process_.err_tail_;
    tail += read_some(process_.err_);
    if (tail.size() > 2 * tail_bytes) tail.erase(0, tail.size() - tail_bytes);
  }

  void give_up(Answer::Kind why, int signal) {
    if (std::exchange(given_up_, true)) return;
    answer_.kind = why;
    process_.in_.reset();
    process_.signal_group(signal);
    process_.signal_group(SIGCONT);
    if (signal != SIGKILL) kill_at_ = Clock::now() + process_.kill_after_;
  }

  void end() {
    // Its children first, while the leader is a zombie and the group can be nobody else's.
    ::kill(-process_.pid_, SIGKILL);
    drain(process_.out_, [this] { read_out(); });
    drain(process_.err_, [this] { read_err(); });
    process_.reap();
    done_ = true;
  }

  /// What is in the pipe now: somebody outside the group may hold its other end for ever.
  template <class Read>
  void drain(UniqueFd& fd, Read read) {
    int waiting = 0;
    while (fd && !done_ && ::ioctl(fd.get(), FIONREAD, &waiting) == 0 && waiting > 0)
      read();
  }

  CommandProcess& process_;
  std::string_view input_;
  Until until_;
  const std::stop_token& stop_;
  std::size_t sent_ = 0;
  Answer answer_ = {};
  bool given_up_ = false;
  bool done_ = false;
  std::optional<Clock::time_point> kill_at_ = {};
  std::array<char, 16 * 1024> buffer_;
  std::stop_callback<std::function<void()>> wake_up_;
};

expected<std::unique_ptr<CommandProcess>, std::string> CommandProcess::start(
    const supervisor::LaunchPlan& plan, const supervisor::ProcessSpec& spec, Duration kill_after) {
  Pipe in;
  Pipe out;
  Pipe err;
  UniqueFd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake || !open_pipe(in) || !open_pipe(out) || !open_pipe(err)) {
    return unexpected<std::string>("cannot start \"" + spec.command.front() +
                                   "\": " + std::generic_category().message(errno) +
                                   "; a command needs 8 open files (ulimit -n)");
  }
  const supervisor::internal::SignalsBlocked blocked;
  auto spawned =
      supervisor::spawn(plan, spec, {{in.read.get(), out.write.get(), err.write.get()}, -1});
  if (!spawned.problem.empty()) return unexpected<std::string>(spawned.problem);
  std::unique_ptr<CommandProcess> process(new CommandProcess());
  process->in_ = std::move(in.write);
  process->out_ = std::move(out.read);
  process->err_ = std::move(err.read);
  for (const auto* fd : {&process->in_, &process->out_, &process->err_})
    make_nonblocking(*fd);
  process->pidfd_ = std::move(spawned.pidfd);
  process->wake_ = std::move(wake);
  process->pid_ = spawned.pid;
  process->stop_signal_ = spec.stop_signal;
  process->kill_after_ = kill_after;
  return process;
}

CommandProcess::~CommandProcess() {
  if (pid_ < 0) return;
  in_.reset();
  out_.reset();
  if (!wait_for_end(kill_after_)) {
    signal_group(stop_signal_);
    signal_group(SIGCONT);
    if (!wait_for_end(kill_after_)) signal_group(SIGKILL);
  }
  static_cast<void>(wait_for_end(Duration::max()));
  ::kill(-pid_, SIGKILL);
  reap();
}

CommandProcess::Answer CommandProcess::exchange(std::string_view input, Until until,
                                                const std::stop_token& stop) {
  const NoSigpipe no_sigpipe;
  std::uint64_t left_over = 0;
  static_cast<void>(!::read(wake_.get(), &left_over, sizeof left_over));
  return Exchange(*this, input, until, stop).run();
}

bool CommandProcess::is_idle() {
  std::array<pollfd, 2> fds = {{{out_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}}};
  return pid_ >= 0 && ::poll(fds.data(), fds.size(), 0) == 0;
}

void CommandProcess::signal_group(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

bool CommandProcess::wait_for_end(Duration limit) const {
  pollfd fd = {pidfd_.get(), POLLIN, 0};
  const auto end = limit == Duration::max() ? Clock::time_point::max() : Clock::now() + limit;
  while (true) {
    const auto left = end == Clock::time_point::max() ? std::chrono::hours{1} : end - Clock::now();
    if (::poll(&fd, 1, poll_timeout(left)) > 0) return true;
    if (Clock::now() >= end) return false;
  }
}

void CommandProcess::reap() {
  siginfo_t info = {};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (info.si_code == CLD_EXITED) {
    exit_code_ = info.si_status;
  } else {
    signal_ = info.si_status;
  }
}

std::string CommandProcess::exit_status() const {
  if (exit_code_) return "exit code " + std::to_string(*exit_code_);
  return "killed by signal " + std::to_string(signal_) + " (" + ::strsignal(signal_) + ")";
}

std::string CommandProcess::take_last_words() {
  auto text = std::exchange(err_tail_, {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  auto from = text.size();
  for (int lines = 0; lines < tail_lines && from != std::string::npos && from > 0; ++lines)
    from = text.rfind('\n', from - 1);
  if (from != std::string::npos && from > 0) text.erase(0, from + 1);
  if (text.size() > tail_bytes) text.erase(0, text.size() - tail_bytes);
  return text;
}

}  // namespace espalier::pipeline::internal
