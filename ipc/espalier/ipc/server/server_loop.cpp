#include "espalier/ipc/server/server_loop.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace espalier::ipc {

namespace {

using supervisor::UniqueFd;

constexpr std::uint64_t listener_token = UINT64_MAX;
constexpr std::uint64_t mailbox_token = UINT64_MAX - 1;
// Of one connection in one turn: some 300 short requests, so that nobody waits long for his turn.
constexpr std::size_t read_size = 16UL * 1024;
constexpr std::size_t write_budget = 1UL << 20U;
constexpr auto accept_pause = std::chrono::milliseconds{100};
// News that come faster than this are taken together.
constexpr auto news_interval = std::chrono::milliseconds{1};
// How soon those who are connected but follow nothing learn that the tree has ended.
constexpr auto look_interval = std::chrono::milliseconds{200};

std::string no_descriptors() {
  ByePush push;
  push.error.code = ErrorCode::too_many_connections;
  push.error.stage = Stage::connection;
  push.error.message = "the target has no file descriptors left; try again in a while";
  push.error.retryable = true;
  std::string line;
  encode(line, push);
  return line + "\n";
}

}  // namespace

ServerLoop::ServerLoop(int listener, Service& service, SupervisorTarget& target, Mailbox& mailbox)
    : listener_(listener),
      service_(service),
      target_(target),
      mailbox_(mailbox),
      acceptor_(listener, no_descriptors()),
      buffer_(read_size) {}

bool ServerLoop::begin() {
  return loop_.is_usable() && loop_.add(listener_, EPOLLIN, listener_token) &&
         loop_.add(mailbox_.fd(), EPOLLIN, mailbox_token);
}

void ServerLoop::run() {
  while (!stopped_) {
    const auto ready = loop_.wait(next_deadline(), supervisor::TimePoint::clock::now());
    now_ = supervisor::TimePoint::clock::now();
    wall_ = Timestamp::clock::now();
    for (const auto& event : ready)
      dispatch(event);
    due();
    flush_touched();
  }
  // What the tree told last is still to be handed out, and the end it came to.
  take_news();
  look_for_the_end();
  finish("its program closes the socket");
  flush_touched();
}

std::optional<supervisor::TimePoint> ServerLoop::next_deadline() const {
  auto result = service_.next_deadline();
  for (const auto& at : {accept_at_, news_at_, look_at_}) {
    if (at && (!result || *at < *result)) result = at;
  }
  return result;
}

void ServerLoop::dispatch(const epoll_event& event) {
  if (event.data.u64 == listener_token) return accept();
  if (event.data.u64 == mailbox_token) return take_mail();
  const auto found = connections_.find(event.data.u64);
  if (found == connections_.end()) return;
  if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    read(found->first, found->second, event.events);
  }
  if ((event.events & EPOLLOUT) != 0) flush(event.data.u64);
}

void ServerLoop::accept() {
  look_for_the_end();
  const auto take = [this](UniqueFd fd, const Peer& peer) { admit(std::move(fd), peer); };
  if (acceptor_.accept(take)) return;
  loop_.change(listener_, 0, listener_token);
  accept_at_ = now_ + accept_pause;
}

void ServerLoop::admit(UniqueFd fd, const Peer& peer) {
  const auto admission = service_.open(peer, now_, wall_);
  if (!admission.id) return send_last_line(fd.get(), admission.refusal);
  Connection connection{.fd = std::move(fd), .interest = EPOLLIN};
  if (!loop_.add(connection.fd.get(), connection.interest, *admission.id)) {
    return service_.close(*admission.id);
  }
  connections_.emplace(*admission.id, std::move(connection));
  if (!look_at_) look_at_ = now_ + look_interval;
}

void ServerLoop::read(ConnectionId id, Connection& connection, std::uint32_t events) {
  const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (!connection.reading || service_.is_closing(id) || service_.is_full(id)) {
    if (gone) drop(id);
    return;
  }
  // Not recvmsg: descriptors that were sent along have nowhere to go and are closed by the kernel.
  const auto count = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
  if (count > 0) {
    const std::string_view bytes{buffer_.data(), static_cast<std::size_t>(count)};
    return service_.receive(id, bytes, now_, wall_);
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (gone || count < 0) return drop(id);
  // It has only closed its own side, as `echo ... | socat` does, and still reads.
  connection.reading = false;
  flush(id);
}

void ServerLoop::take_mail() {
  for (const auto& work : mailbox_.take())
    work();
  if (!news_at_) take_news();
}

void ServerLoop::take_news() {
  if (mailbox_.take_news() || (!mailbox_.arm() && mailbox_.take_news())) {
    service_.wake(now_, wall_);
    news_at_ = now_ + news_interval;
  } else {
    news_at_.reset();
  }
}

void ServerLoop::due() {
  const auto is_due = [this](const auto& at) { return at && *at <= now_; };
  if (is_due(accept_at_)) {
    accept_at_.reset();
    loop_.change(listener_, EPOLLIN, listener_token);
  }
  if (is_due(news_at_)) take_news();
  if (is_due(look_at_)) {
    look_at_.reset();
    look_for_the_end();
    if (!connections_.empty()) look_at_ = now_ + look_interval;
  }
  if (is_due(service_.next_deadline())) service_.tick(now_, wall_);
}

void ServerLoop::look_for_the_end() {
  if (ended_) return;
  if (const auto reason = target_.ended()) finish(*reason);
}

void ServerLoop::finish(const std::string& reason) {
  if (ended_) return;
  ended_ = true;
  service_.end(reason, now_, wall_);
}

void ServerLoop::flush_touched() {
  // What is sent may make room for more, so there may be a second round.
  for (auto ids = service_.touched(); !ids.empty(); ids = service_.touched()) {
    for (const auto id : ids)
      flush(id);
  }
}

void ServerLoop::flush(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  auto& connection = found->second;
  bool waits = false;
  for (std::size_t total = 0; !waits;) {
    const auto bytes = service_.output(id);
    if (bytes.empty()) break;
    waits = total >= write_budget;
    if (waits) break;  // The others come first; epoll brings it back.
    const auto count = ::send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return drop(id);
    const auto sent = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    waits = sent < bytes.size();
    total += sent;
    if (sent > 0) service_.sent(id, sent, now_);
  }
  const bool closing = service_.is_closing(id);
  const bool done = closing || (!connection.reading && !service_.is_in_use(id));
  if (done && !waits) return drop(id);
  const bool reads = connection.reading && !closing && !service_.is_full(id);
  const auto interest =
      (reads ? std::uint32_t{EPOLLIN} : 0U) | (waits ? std::uint32_t{EPOLLOUT} : 0U);
  if (interest == connection.interest) return;
  connection.interest = interest;
  loop_.change(connection.fd.get(), interest, id);
}

void ServerLoop::drop(ConnectionId id) {
  service_.close(id);
  connections_.erase(id);
}

}  // namespace espalier::ipc
