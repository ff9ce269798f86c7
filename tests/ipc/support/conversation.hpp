#pragma once

#include "espalier/ipc/core/service.hpp"
#include "ipc/support/fake_target.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::testing_support {

/// Keeps audit lines until it is told that its disk is full.
class BreakableStore final : public AuditStore {
 public:
  bool works = true;
  std::vector<std::string> lines = {};
  [[nodiscard]] bool append(const std::string& line) override {
    if (works) lines.push_back(line);
    return works;
  }
  [[nodiscard]] std::vector<std::string> last(std::size_t limit) override {
    const auto count = static_cast<std::ptrdiff_t>(std::min(limit, lines.size()));
    return {lines.end() - count, lines.end()};
  }
};

inline Peer root_peer() {
  return {.pid = 100, .uid = 0, .gid = 0};
}

/// A service on a FakeTarget, in virtual time: what the shell does, without a socket. The service
/// runs as user 500; settings are to be made before the first connection.
class Conversation {
 public:
  FakeTarget target = {};
  BreakableStore audit = {};
  supervisor::DashboardSpec spec = {};
  supervisor::BackpressureSpec backpressure = {};
  /// Whether what ends elsewhere is handed over at once, or with `deliver`.
  bool hold_posts = false;

  Service& service() {
    if (!service_) {
      service_ = std::make_unique<Service>(
          Service::Options{spec, 500, backpressure}, target, audit, ChainHead{},
          [this](auto work) { hold_posts ? posted_.push_back(std::move(work)) : work(); });
    }
    return *service_;
  }
  void destroy_service() { service_.reset(); }

  Service::Admission admit(const Peer& peer) {
    return service().open(peer, target.now(), target.wall());
  }
  ConnectionId open(const Peer& peer = root_peer()) { return admit(peer).id.value(); }

  void feed(ConnectionId id, std::string_view bytes) {
    service().receive(id, bytes, target.now(), target.wall());
    settle();
  }
  /// Everything that can be read now, line by line; closes the connection where the service does.
  std::vector<std::string> take(ConnectionId id) {
    std::string text;
    if (closed_.contains(id)) return {};
    for (auto next = service().output(id); !next.empty(); next = service().output(id)) {
      text += next;
      service().sent(id, next.size(), target.now());
      settle();
    }
    if (service().is_closing(id)) close(id);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }
  std::vector<std::string> ask(ConnectionId id, const std::string& line) {
    feed(id, line + "\n");
    return take(id);
  }
  void close(ConnectionId id) {
    service().close(id);
    closed_.insert(id);
  }
  [[nodiscard]] bool is_closed(ConnectionId id) const { return closed_.contains(id); }

  /// Time passes, with a tick at every deadline on the way.
  void advance(supervisor::Duration by) {
    const auto end = target.now() + by;
    for (;;) {
      const auto next = service().next_deadline();
      if (!next || *next > end) break;
      target.advance(std::max(*next - target.now(), supervisor::Duration::zero()));
      settle();
      if (service().next_deadline() == next) break;
    }
    target.advance(end - target.now());
    settle();
  }
  /// The target has told that something is new.
  void wake() {
    service().wake(target.now(), target.wall());
    settle();
  }
  void end(const std::string& reason) {
    service().end(reason, target.now(), target.wall());
    settle();
  }
  /// The oldest command that waits is done.
  bool finish() {
    const bool was_there = target.finish();
    if (service_) settle();
    return was_there;
  }
  void deliver() {
    for (const auto& work : std::exchange(posted_, {}))
      work();
    if (service_) settle();
  }

 private:
  void settle() {
    for (int i = 0; i < 100; ++i) {
      const auto next = service().next_deadline();
      if (!next || *next > target.now()) return;
      service().tick(target.now(), target.wall());
    }
  }
  std::unique_ptr<Service> service_ = {};
  std::vector<std::function<void()>> posted_ = {};
  std::set<ConnectionId> closed_ = {};
};

}  // namespace espalier::ipc::testing_support
