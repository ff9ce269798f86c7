#pragma once

#include "espalier/ipc/core/audit.hpp"
#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/core/service_figures.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/core/backpressure_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace espalier::ipc {

using ConnectionId = std::uint64_t;

/// Everything the socket does, without the socket: bytes of connections in, bytes of connections
/// out, `now` as an argument. It decides on connections, cuts lines, applies the nine controls,
/// answers from the target, runs commands, serves subscriptions. So whole conversations are tested
/// in virtual time, and what is fuzzed is what runs.
///
/// Thread rule: one thread, but for the function given to the constructor.
/// Cost: a request costs what its answer costs; an event costs its text once and a pointer a
/// reader.
class Service {
 public:
  struct Options {
    supervisor::DashboardSpec spec = {};
    std::uint32_t own_uid = 0;
    supervisor::BackpressureSpec backpressure = {};
    std::shared_ptr<ServiceFigures> figures = {};  ///< Where it counts; null: nowhere.
  };
  /// `completed` is called with what a command came to, on whatever thread it ended; the shell
  /// hands it to `run` on the service's own.
  using Post = std::function<void(std::function<void()>)>;
  Service(Options options, Target& target, AuditStore& audit, ChainHead head, Post post);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// C2 and the caps of C6. An id, or the line to send, newline included, before it is closed.
  struct Admission {
    std::optional<ConnectionId> id = {};
    std::string refusal = {};
  };
  [[nodiscard]] Admission open(const Peer& peer, supervisor::TimePoint now, Timestamp wall);
  void receive(ConnectionId id, std::string_view bytes, supervisor::TimePoint now, Timestamp wall);
  /// The peer has closed its side, or the connection broke.
  void close(ConnectionId id);

  /// What to write; `is_closing`: close once that is written.
  [[nodiscard]] std::string_view output(ConnectionId id);
  void sent(ConnectionId id, std::size_t bytes, supervisor::TimePoint now);
  [[nodiscard]] bool is_closing(ConnectionId id) const;
  /// No more bytes are to be read for now: what the connection asked for waits to be taken.
  [[nodiscard]] bool is_full(ConnectionId id) const;
  /// It waits for a command, or follows something: worth keeping where the peer sends no more.
  [[nodiscard]] bool is_in_use(ConnectionId id) const;
  /// Connections whose output or state has changed since the last call.
  [[nodiscard]] std::vector<ConnectionId> touched();

  /// New events or lines may be there: hands them to the subscriptions.
  void wake(supervisor::TimePoint now, Timestamp wall);
  /// Time-outs, states that are due. To be called at `next_deadline`.
  void tick(supervisor::TimePoint now, Timestamp wall);
  [[nodiscard]] std::optional<supervisor::TimePoint> next_deadline() const;
  /// The target has ended: subscriptions are told, then every connection closes.
  void end(const std::string& reason, supervisor::TimePoint now, Timestamp wall);

  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::ipc
