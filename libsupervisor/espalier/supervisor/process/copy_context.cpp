#include "espalier/supervisor/process/copy_context.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

namespace espalier::supervisor {

namespace {

/// Empty at the end of the connection.
std::string receive_packet(int socket) {
  std::string packet(wire::max_message, '\0');
  ssize_t size = 0;
  do {
    size = ::recv(socket, packet.data(), packet.size(), 0);
  } while (size < 0 && errno == EINTR);
  packet.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return packet;
}

}  // namespace

std::unique_ptr<CopyContext> CopyContext::receive(int socket) {
  auto call = wire::parse_call(receive_packet(socket));
  if (!call) return nullptr;
  return std::unique_ptr<CopyContext>{new CopyContext{socket, std::move(*call)}};
}

CopyContext::CopyContext(int socket, CopyCall call) : socket_{socket}, call_{std::move(call)} {
  // Signals are for the threads of the function.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  listener_ = std::thread{[this] { listen(); }};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CopyContext::~CopyContext() {
  ::shutdown(socket_, SHUT_RD);
  listener_.join();
}

void CopyContext::listen() {
  for (;;) {
    const auto packet = receive_packet(socket_);
    if (!packet.empty() && packet != wire::stop) continue;
    stop_.request_stop();
    if (packet.empty()) return;
  }
}

void CopyContext::send(const wire::FromCopy& message) const {
  const auto packet = wire::encode(message);
  while (::send(socket_, packet.data(), packet.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

bool CopyContext::sleep_for(Duration d) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock{mutex};
  never_notified.wait_for(lock, stop_.get_token(), d, [] { return false; });
  return !stop_requested();
}

}  // namespace espalier::supervisor
