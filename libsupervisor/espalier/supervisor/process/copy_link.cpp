#include "espalier/supervisor/process/copy_link.hpp"

#include "espalier/supervisor/process/crash_trace.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

namespace espalier::supervisor {

namespace {

UniqueFd checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error{errno, std::generic_category(), what};
  return UniqueFd{fd};
}

constexpr std::size_t max_trace_lines = 128;

}  // namespace

std::shared_ptr<const ProcessSpec> spec_of_copy(const std::string& path,
                                                const std::shared_ptr<const ProcessSpec>& process) {
  auto spec = process ? *process : ProcessSpec{};
  std::error_code unknown;
  auto program = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  if (program.empty()) program = "/proc/self/exe";
  // Should main not call child_main it will most likely refuse an option it does not know.
  spec.command = {std::move(program), copy_argument + path};
  return std::make_shared<const ProcessSpec>(std::move(spec));
}

CopyLink::CopyLink(const CopyCall& call) : patience_{call.patience} {
  const auto packet = wire::encode(call);
  if (packet.size() > wire::max_message) {
    throw std::length_error{"its params have " + std::to_string(packet.size()) +
                            " bytes; an isolated function can be given " +
                            std::to_string(wire::max_message) + ", put the rest into a file"};
  }
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error{errno, std::generic_category(), "cannot open a socket for it"};
  }
  socket_ = UniqueFd{ends[0]};
  const UniqueFd other{ends[1]};
  copys_end_ =
      checked(::fcntl(other.get(), F_DUPFD_CLOEXEC, copy_fd + 1), "cannot copy a descriptor");
  timer_ = checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                   "cannot make a timer for it");
  // It waits in the socket until the copy is there to read it.
  if (::send(fd(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    throw std::system_error{errno, std::generic_category(), "cannot tell it what to run"};
  }
  set_timer(patience_);
}

void CopyLink::set_timer(Duration after) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(after);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(after - whole);
  itimerspec when = {};
  when.it_value.tv_sec = whole.count();
  when.it_value.tv_nsec = rest.count();
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

bool CopyLink::read(int most, std::int64_t pid, ProcessListener& listener) {
  std::string packet(wire::max_message, '\0');
  for (; most > 0 && socket_; --most) {
    const auto size = ::recv(fd(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    hear(packet.substr(0, static_cast<std::size_t>(size)), pid, listener);
  }
  return true;
}

void CopyLink::hear(std::string packet, std::int64_t pid, ProcessListener& listener) {
  auto message = wire::parse_from_copy(packet);
  if (!message) {
    if (crash_ && trace_.size() < max_trace_lines) trace_.push_back(std::move(packet));
    return;
  }
  const auto act = [&]<class Message>(Message& x) {
    if constexpr (std::is_same_v<Message, wire::Running>) {
      if (std::exchange(running_, true)) return;
      set_timer(Duration::zero());
      listener.on_running(pid);
    } else if constexpr (std::is_same_v<Message, wire::Ready>) {
      listener.on_ready();
    } else if constexpr (std::is_same_v<Message, wire::Alive>) {
      listener.on_alive();
    } else if constexpr (std::is_same_v<Message, wire::Status>) {
      listener.on_status(x.text);
    } else if constexpr (std::is_same_v<Message, wire::Asks>) {
      listener.on_asks(x.wish, x.reason);
    } else if constexpr (std::is_same_v<Message, wire::Ended>) {
      ended_ = std::move(x);
      set_timer(patience_);
    } else {
      crash_ = x;
    }
  };
  std::visit(act, *message);
}

void CopyLink::send_stop() const {
  if (socket_) ::send(fd(), wire::stop.data(), wire::stop.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void CopyLink::run_out_of_patience() {
  out_of_patience_ = true;
  set_timer(Duration::zero());
}

ExitRecord CopyLink::judge(ExitRecord process) const {
  // Handlers of exit and destructors run after the function, and may crash.
  const bool fell_later = process.signal && !out_of_patience_;
  if (ended_ && (!fell_later || ended_->kind != ExitKind::completed)) {
    return {.kind = ended_->kind, .category = ended_->category, .message = ended_->message};
  }
  if (crash_) return crashed(std::move(process));
  if (!running_) return never_began(std::move(process));
  if (ended_) process.message = "its function had completed";
  return process;
}

ExitRecord CopyLink::crashed(ExitRecord process) const {
  // The alarm of the handler: the trace got stuck.
  if (process.signal == SIGALRM) process.signal = crash_->signal;
  process.message = wire::describe(*crash_);
  if (ended_) process.message += ", after its function had completed";
  if (!trace_.empty()) {
    process.trace = std::make_shared<const std::vector<std::string>>(readable_trace(trace_));
  }
  return process;
}

ExitRecord CopyLink::never_began(ExitRecord process) const {
  constexpr const char* advice =
      "main must begin with: if (const auto code = espalier::child_main(argc, argv)) return *code;";
  if (out_of_patience_) {
    process.message =
        std::string{
            "this program did not call espalier::child_main as the first "
            "line of main, so its copy was killed; "} +
        advice;
    process.kind = ExitKind::failed;
    process.category = FailureCategory::fatal_config;
    return process;
  }
  if (process.signal == SIGKILL) return process;  // By an operator, or for want of memory.
  process.message =
      std::string{
          "the copy of this program ended before it called "
          "espalier::child_main; "} +
      advice + " If it does, look at its resource limits";
  process.kind = ExitKind::failed;
  process.category = FailureCategory::fatal_config;
  return process;
}

}  // namespace espalier::supervisor
