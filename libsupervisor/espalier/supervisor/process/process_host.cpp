#include "espalier/supervisor/process/process_host.hpp"

#include "espalier/supervisor/process/descendants.hpp"
#include "espalier/supervisor/process/guardian.hpp"
#include "espalier/supervisor/process/running_process.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>

namespace espalier::supervisor {

namespace {

/// What an epoll event is about; with the token it makes the event's key.
enum class Channel : std::uint64_t { exit, out, err, notify, link, timer };
constexpr std::uint64_t channel_bits = 3;
constexpr std::uint64_t wake_key = 0;  // Tokens begin at 1.

std::uint64_t key_of(ProcessToken token, Channel channel) {
  return token << channel_bits | static_cast<std::uint64_t>(channel);
}

UniqueFd checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error{errno, std::generic_category(), what};
  return UniqueFd{fd};
}

}  // namespace

class ProcessHost::Impl {
 public:
  explicit Impl(Options options);
  ~Impl();
  ProcessToken launch(LaunchRequest request);
  void post(std::function<void()> command);
  void with_process(ProcessToken token, void (RunningProcess::*action)());
  std::vector<LeftoverProcess> end_leftovers();
  [[nodiscard]] std::size_t running() const { return running_; }

 private:
  void run();
  void run_commands();
  void start(ProcessToken token, LaunchRequest request);
  void handle(std::uint64_t key);
  void read_output(OutputPipe& pipe, ProcessListener& listener);
  void read_link(RunningProcess& process);
  void end(ProcessToken token);
  void watch(int fd, std::uint64_t key);
  void forget(int fd);
  void reap_adopted();
  std::vector<LeftoverProcess> look_for_leftovers();
  [[nodiscard]] std::unordered_set<pid_t> known_pids() const;

  Options options_;
  int was_subreaper_ = 0;
  HostWorld world_ = HostWorld::capture();
  UniqueFd epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "cannot watch processes (epoll)");
  UniqueFd wake_ =
      checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot watch processes (eventfd)");
  std::atomic<ProcessToken> last_token_ = 0;
  std::atomic<std::size_t> running_ = 0;
  std::mutex mutex_;
  std::vector<std::function<void()>> commands_;  // Guarded by mutex_.
  // Below: the host thread's only.
  bool ending_ = false;
  std::unordered_map<ProcessToken, std::unique_ptr<RunningProcess>> processes_;
  std::unordered_map<pid_t, ProcessToken> tokens_;
  std::array<char, 64 * 1024> buffer_ = {};
  std::thread thread_;
};

ProcessHost::Impl::Impl(Options options) : options_{std::move(options)} {
  world_.open_files = options_.open_files;
  if (options_.subreaper) {
    ::prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  watch(wake_.get(), wake_key);
  // Signals are for the threads of the program; spawn() needs them blocked as well.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[this] { run(); }};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ProcessHost::Impl::~Impl() {
  post([this] {
    ending_ = true;
    for (auto& [token, process] : processes_)
      process->abort();
  });
  thread_.join();
  if (options_.subreaper) ::prctl(PR_SET_CHILD_SUBREAPER, was_subreaper_);
}

ProcessToken ProcessHost::Impl::launch(LaunchRequest request) {
  const auto token = ++last_token_;
  post([this, token, moved = std::move(request)] { start(token, moved); });
  return token;
}

void ProcessHost::Impl::post(std::function<void()> command) {
  {
    const std::lock_guard lock{mutex_};
    commands_.push_back(std::move(command));
  }
  ::eventfd_write(wake_.get(), 1);
}

void ProcessHost::Impl::with_process(ProcessToken token, void (RunningProcess::*action)()) {
  post([this, token, action] {
    const auto found = processes_.find(token);
    if (found != processes_.end()) (*found->second.*action)();
  });
}

std::vector<LeftoverProcess> ProcessHost::Impl::end_leftovers() {
  if (std::this_thread::get_id() == thread_.get_id()) return look_for_leftovers();
  std::promise<std::vector<LeftoverProcess>> found;
  // On the host's thread, so that no process comes to be between the list of ours and the look.
  post([&] { found.set_value(look_for_leftovers()); });
  return found.get_future().get();
}

void ProcessHost::Impl::run() {
  // Nobody tells of the death of an adopted process, so a subreaper looks now and then.
  const int patience = options_.subreaper ? 1000 : -1;
  std::array<epoll_event, 64> events = {};
  while (!ending_ || !processes_.empty()) {
    const auto count = ::epoll_wait(epoll_.get(), events.data(), events.size(), patience);
    for (int i = 0; i < count; ++i)
      handle(events[static_cast<std::size_t>(i)].data.u64);
    if (options_.subreaper) reap_adopted();
  }
}

void ProcessHost::Impl::handle(std::uint64_t key) {
  if (key == wake_key) return run_commands();
  const auto token = key >> channel_bits;
  const auto found = processes_.find(token);
  if (found == processes_.end()) return;  // Ended earlier in the same turn.
  auto& process = *found->second;
  switch (static_cast<Channel>(key & ((1U << channel_bits) - 1))) {
    case Channel::exit:
      if (process.has_ended()) end(token);
      break;
    case Channel::out:
      read_output(process.out(), process.listener());
      break;
    case Channel::err:
      read_output(process.err(), process.listener());
      break;
    case Channel::notify:
      process.read_notifications(16);
      break;
    case Channel::link:
      read_link(process);
      break;
    case Channel::timer:
      process.run_out_of_patience();
      break;
  }
}

void ProcessHost::Impl::run_commands() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  std::vector<std::function<void()>> commands;
  {
    const std::lock_guard lock{mutex_};
    commands.swap(commands_);
  }
  for (const auto& command : commands)
    command();
}

void ProcessHost::Impl::start(ProcessToken token, LaunchRequest request) {
  auto process = RunningProcess::launch(std::move(request), world_, token);
  if (!process) return;
  if (options_.guardian) options_.guardian->group_began(process->pid());
  ++running_;
  tokens_[process->pid()] = token;
  auto& added = *(processes_[token] = std::move(process));
  if (const auto* link = added.link()) {
    watch(link->fd(), key_of(token, Channel::link));
    watch(link->timer_fd(), key_of(token, Channel::timer));
  } else {
    added.listener().on_running(added.pid());
  }
  watch(added.notify_fd(), key_of(token, Channel::notify));
  watch(added.out().fd(), key_of(token, Channel::out));
  watch(added.err().fd(), key_of(token, Channel::err));
  watch(added.pidfd(), key_of(token, Channel::exit));
  if (ending_) added.abort();
}

void ProcessHost::Impl::read_output(OutputPipe& pipe, ProcessListener& listener) {
  // One read a turn, so that a flood from one process keeps nobody else waiting.
  if (pipe.fd() < 0 || pipe.read_once(buffer_, listener)) return;
  forget(pipe.fd());
  pipe.close();
}

void ProcessHost::Impl::read_link(RunningProcess& process) {
  auto& link = *process.link();
  if (link.read(16, process.pid(), process.listener())) return;
  forget(link.fd());
  link.close();
}

void ProcessHost::Impl::end(ProcessToken token) {
  const auto process = std::move(processes_.at(token));
  for (const int fd :
       {process->pidfd(), process->notify_fd(), process->out().fd(), process->err().fd()}) {
    forget(fd);
  }
  if (const auto* link = process->link()) {
    forget(link->fd());
    forget(link->timer_fd());
  }
  if (options_.guardian) options_.guardian->group_ended(process->pid());
  const auto exit = process->finish(buffer_);
  tokens_.erase(process->pid());
  processes_.erase(token);
  --running_;
  process->listener().on_exit(exit);
}

void ProcessHost::Impl::watch(int fd, std::uint64_t key) {
  if (fd < 0) return;
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = key;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

/// Before it is closed: a copy of it in a process that others fork would keep it in the epoll set.
void ProcessHost::Impl::forget(int fd) {
  if (fd >= 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void ProcessHost::Impl::reap_adopted() {
  for (;;) {
    siginfo_t info = {};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    if (tokens_.contains(info.si_pid)) return;  // Ours; its end is handled in the next turn.
    ::waitid(P_PID, static_cast<id_t>(info.si_pid), nullptr, WEXITED | WNOHANG);
  }
}

std::unordered_set<pid_t> ProcessHost::Impl::known_pids() const {
  std::unordered_set<pid_t> result;
  for (const auto& [pid, token] : tokens_)
    result.insert(pid);
  if (options_.guardian) result.insert(options_.guardian->pid());
  return result;
}

std::vector<LeftoverProcess> ProcessHost::Impl::look_for_leftovers() {
  constexpr auto pause = std::chrono::milliseconds{10};
  const auto known = known_pids();
  const DescendantQuery query{known, options_.subreaper ? std::string{} : world_.host_id};
  auto found = find_descendants(query);
  // What was in the group of an ended process has its SIGKILL and may still be dying.
  for (int looks = 0; !found.empty() && looks < 10; ++looks) {
    std::this_thread::sleep_for(pause);
    found = find_descendants(query);
  }
  const auto result = found;
  // Killing one may orphan others, which a subreaper sees only then; and dying takes a moment.
  for (int rounds = 0; !found.empty() && rounds < 100; ++rounds) {
    for (const auto& process : found)
      ::kill(static_cast<pid_t>(process.pid), SIGKILL);
    std::this_thread::sleep_for(pause);
    if (options_.subreaper) reap_adopted();
    found = find_descendants(query);
  }
  return result;
}

ProcessHost::ProcessHost() : ProcessHost(Options{}) {}
ProcessHost::ProcessHost(Options options) : impl_{std::make_unique<Impl>(std::move(options))} {}
ProcessHost::~ProcessHost() = default;

ProcessToken ProcessHost::launch(LaunchRequest request) {
  return impl_->launch(std::move(request));
}
void ProcessHost::stop(ProcessToken token) {
  impl_->with_process(token, &RunningProcess::stop);
}
void ProcessHost::abort(ProcessToken token) {
  impl_->with_process(token, &RunningProcess::abort);
}
void ProcessHost::suspend(ProcessToken token, bool suspended) {
  impl_->with_process(token, suspended ? &RunningProcess::suspend : &RunningProcess::resume);
}
std::size_t ProcessHost::running() const {
  return impl_->running();
}
std::vector<LeftoverProcess> ProcessHost::end_leftovers() {
  return impl_->end_leftovers();
}

}  // namespace espalier::supervisor
