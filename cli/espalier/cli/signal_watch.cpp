#include "espalier/cli/signal_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <utility>

namespace espalier::cli {

SignalWatch::SignalWatch() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGWINCH})
    sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  end_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || end_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot listen for signals");
  }
}

SignalWatch::~SignalWatch() {
  stop();
  close(signals_);
  close(end_);
}

void SignalWatch::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  static_cast<void>(!write(end_, &one, sizeof one));
  thread_.join();
}

void SignalWatch::start(std::function<void(int)> handle) {
  handle_ = std::move(handle);
  thread_ = std::thread([this] { run(); });
}

void SignalWatch::run() {
  while (true) {
    std::array<pollfd, 2> waiting = {{{signals_, POLLIN, 0}, {end_, POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[1].revents != 0) return;
    signalfd_siginfo info = {};
    if (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      handle_(static_cast<int>(info.ssi_signo));
    }
  }
}

}  // namespace espalier::cli
