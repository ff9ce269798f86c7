#pragma once

#include "espalier/ipc/core/authorisation.hpp"
#include "espalier/ipc/core/internal/auditor.hpp"
#include "espalier/ipc/core/internal/commands.hpp"
#include "espalier/ipc/core/internal/connection.hpp"
#include "espalier/ipc/core/internal/requests.hpp"
#include "espalier/ipc/core/internal/subscriptions.hpp"
#include "espalier/ipc/core/internal/users.hpp"
#include "espalier/ipc/core/service.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace espalier::ipc {

/// Connections and their time-outs; what a line means is decided in `Requests`.
class Service::Impl {
 public:
  using Moment = internal::Moment;
  Impl(Options options, Target& target, AuditStore& audit, ChainHead head, Post post);

  [[nodiscard]] Admission open(const Peer& peer, const Moment& at);
  void receive(ConnectionId id, std::string_view bytes, const Moment& at);
  void close(ConnectionId id);
  [[nodiscard]] std::string_view output(ConnectionId id);
  void sent(ConnectionId id, std::size_t bytes, supervisor::TimePoint now);
  [[nodiscard]] bool is_closing(ConnectionId id) const;
  [[nodiscard]] bool is_full(ConnectionId id) const;
  [[nodiscard]] bool is_in_use(ConnectionId id) const;
  [[nodiscard]] std::vector<ConnectionId> touched();
  void wake(const Moment& at);
  void tick(const Moment& at);
  [[nodiscard]] std::optional<supervisor::TimePoint> next_deadline() const;
  void end(const std::string& reason, const Moment& at);
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  using Connection = internal::Connection;

  [[nodiscard]] Connection* find(ConnectionId id) const;
  [[nodiscard]] bool is_full(const Connection& c) const;
  void serve_lines(Connection& c);
  void send(ConnectionId id, std::string line);
  void settle_commands();
  /// Output may have come, or become less.
  void look_at_output(Connection& c);
  void look_at_touched();
  void tell(const internal::ReaderNews& news);

  void count_readers();
  void count_dropped(Connection& c);
  void say_goodbye(Connection& c, const WireError& why);
  void begin_closing(Connection& c);
  void check_times(Connection& c);
  void due_at(supervisor::TimePoint when);
  [[nodiscard]] std::optional<supervisor::TimePoint> deadline_of(const Connection& c) const;
  [[nodiscard]] bool is_in_use(const Connection& c) const;

  Options options_;
  Target& target_;
  std::string target_id_;
  Authorisation authorisation_;
  internal::Auditor audit_;
  internal::Users users_;
  internal::Subscriptions subscriptions_;
  std::shared_ptr<internal::Commands> commands_;
  internal::Requests requests_;
  std::unordered_map<ConnectionId, std::unique_ptr<Connection>> connections_ = {};
  std::unordered_set<ConnectionId> touched_ = {};
  ConnectionId last_id_ = 0;
  Moment at_ = {};  ///< Of the call that is being served.
  /// Not after the first time-out of any connection; earlier ones cost a look.
  std::optional<supervisor::TimePoint> deadline_ = {};
  std::optional<std::string> ended_ = {};  ///< Why the target has ended.
};

}  // namespace espalier::ipc
