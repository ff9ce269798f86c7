#include "espalier/ipc/registration/registrar.hpp"

#include "espalier/supervisor/os/unique_fd.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

namespace espalier::ipc {
namespace {

using supervisor::Duration;
using supervisor::TimePoint;
using supervisor::UniqueFd;
using Clock = std::chrono::steady_clock;
using Effects = RegistrationEngine::Effects;
using State = RegistrationEngine::State;

int poll_ms(TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

/// A connection at once or none: a Unix socket has nothing to wait for but a full queue, and then
/// the relay is as good as away. `why` says what is wrong.
UniqueFd connect_to(const std::string& path, std::string& why) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    why = "the path of a socket has at most 107 bytes, and this one more";
    return {};
  }
  path.copy(address.sun_path, path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd;
  }
  switch (errno) {
    case ENOENT:
      why = "there is no such socket";
      break;
    case ECONNREFUSED:
      why = "nobody answers there";
      break;
    case EAGAIN:
      why = "it takes no more connections for now";
      break;
    default:
      why = std::strerror(errno);
  }
  return {};
}

}  // namespace

class Registrar::Impl {
 public:
  Impl(supervisor::RegistrationSpec spec, RegisterParams self, Tell tell)
      : path_(spec.path),
        tell_(std::move(tell)),
        engine_(std::move(spec), std::move(self), std::random_device{}()),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { run(); }) {}

  ~Impl() {
    is_stopping_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] State state() const { return state_; }

 private:
  void run();
  void wait();
  void apply(Effects effects);
  void tell(const std::vector<std::string>& notes);
  void open();
  void close();
  void read_some();
  void write_some();
  void say_goodbye();

  std::string path_;
  Tell tell_;
  RegistrationEngine engine_;
  std::atomic<State> state_ = State::waiting;
  std::atomic<bool> is_stopping_ = false;
  UniqueFd wake_;
  UniqueFd socket_ = UniqueFd();
  std::string in_ = {};
  std::string out_ = {};
  std::thread thread_;  ///< Last: it uses all of the above.
};

void Registrar::Impl::run() {
  apply(engine_.start(Clock::now()));
  while (!is_stopping_) {
    wait();
    apply(engine_.tick(Clock::now()));
  }
  apply(engine_.stop());
}

void Registrar::Impl::wait() {
  pollfd watched[2] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                       {.fd = socket_.get(), .events = POLLIN, .revents = 0}};
  if (!out_.empty()) watched[1].events |= POLLOUT;
  const auto deadline = engine_.next_deadline();
  if (::poll(watched, 2, deadline ? poll_ms(*deadline) : -1) <= 0) return;
  if ((watched[1].revents & POLLOUT) != 0) write_some();
  if ((watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_some();
}

void Registrar::Impl::apply(Effects effects) {
  state_ = engine_.state();
  tell(effects.notes);
  out_ += effects.send;
  if (effects.disconnect) {
    if (is_stopping_) say_goodbye();
    close();
  }
  if (effects.connect) open();
  if (socket_ && !out_.empty()) write_some();
}

void Registrar::Impl::tell(const std::vector<std::string>& notes) {
  if (!tell_) return;
  const auto severity = engine_.state() == State::registered ? supervisor::Severity::info
                                                             : supervisor::Severity::warning;
  for (const auto& note : notes)
    tell_(severity, note);
}

void Registrar::Impl::open() {
  std::string why;
  socket_ = connect_to(path_, why);
  apply(socket_ ? engine_.connected(Clock::now()) : engine_.lost(why, Clock::now()));
}

void Registrar::Impl::close() {
  socket_.reset();
  in_.clear();
  out_.clear();
}

void Registrar::Impl::read_some() {
  char bytes[16 * 1024];
  const auto got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    apply(engine_.lost("it closed the connection", Clock::now()));
    return;
  }
  in_.append(bytes, static_cast<std::size_t>(got));
  // The engine may give the connection up at any line; then nothing of it counts any more.
  for (auto end = in_.find('\n'); socket_ && end != std::string::npos; end = in_.find('\n')) {
    const std::string line = in_.substr(0, end);
    in_.erase(0, end + 1);
    if (!line.empty()) apply(engine_.line(line, Clock::now()));
  }
  // Not cut yet, and already too long: the engine says so.
  if (in_.size() > max_relay_line) apply(engine_.line(in_, Clock::now()));
}

void Registrar::Impl::write_some() {
  const auto sent = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
  // A broken connection is seen where it is read; what it still said comes first.
  if (sent < 0 && errno != EAGAIN && errno != EINTR) out_.clear();
}

void Registrar::Impl::say_goodbye() {
  const auto deadline = Clock::now() + std::chrono::seconds{1};
  while (socket_ && !out_.empty() && Clock::now() < deadline) {
    pollfd watched = {.fd = socket_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&watched, 1, poll_ms(deadline)) > 0) write_some();
  }
}

Registrar::Registrar(supervisor::RegistrationSpec spec, RegisterParams self, Tell tell)
    : impl_(std::make_unique<Impl>(std::move(spec), std::move(self), std::move(tell))) {}
Registrar::~Registrar() = default;
RegistrationEngine::State Registrar::state() const {
  return impl_->state();
}

}  // namespace espalier::ipc
