#pragma once

#include "espalier/ipc/core/service.hpp"
#include "espalier/ipc/server/acceptor.hpp"
#include "espalier/ipc/server/event_loop.hpp"
#include "espalier/ipc/server/supervisor_target.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::ipc {

/// Carries bytes between sockets and a Service, and time and news to it. Decides nothing.
///
/// A turn takes at most 16 KiB of each connection that is ready, hands all of it to the service,
/// and then sends what came of it: one read and one write for any number of requests. It sleeps
/// until something comes or is due; while nobody is connected, nothing is.
class ServerLoop {
 public:
  ServerLoop(int listener, Service& service, SupervisorTarget& target, Mailbox& mailbox);
  /// False: the system has no room.
  [[nodiscard]] bool begin();
  /// Until `stop`, which is to be posted.
  void run();
  void stop() { stopped_ = true; }

 private:
  struct Connection {
    supervisor::UniqueFd fd = {};
    std::uint32_t interest = 0;
    bool reading = true;  ///< The peer may still send.
  };
  [[nodiscard]] std::optional<supervisor::TimePoint> next_deadline() const;
  void dispatch(const epoll_event& event);
  void accept();
  void admit(supervisor::UniqueFd fd, const Peer& peer);
  void read(ConnectionId id, Connection& connection, std::uint32_t events);
  void take_mail();
  void take_news();
  void due();
  void look_for_the_end();
  void finish(const std::string& reason);
  void flush_touched();
  void flush(ConnectionId id);
  void drop(ConnectionId id);

  int listener_;
  Service& service_;
  SupervisorTarget& target_;
  Mailbox& mailbox_;
  EventLoop loop_;
  Acceptor acceptor_;
  std::unordered_map<ConnectionId, Connection> connections_;
  std::vector<char> buffer_;
  supervisor::TimePoint now_ = {};
  Timestamp wall_ = {};
  std::optional<supervisor::TimePoint> accept_at_ = {};  ///< Accepting pauses until then.
  std::optional<supervisor::TimePoint> news_at_ = {};    ///< News are looked for then.
  std::optional<supervisor::TimePoint> look_at_ = {};    ///< Whether the tree has ended.
  bool ended_ = false;
  bool stopped_ = false;
};

}  // namespace espalier::ipc
