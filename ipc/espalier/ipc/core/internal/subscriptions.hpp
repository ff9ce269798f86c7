#pragma once

#include "espalier/ipc/core/internal/reader_news.hpp"
#include "espalier/ipc/core/outbox.hpp"
#include "espalier/ipc/core/service.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc::internal {

/// What one request needs to know of where it came from.
struct Recipient {
  ConnectionId connection = 0;
  Outbox* outbox = nullptr;  ///< Outlives the subscriptions of its connection.
};

/// Everything that is read from the target: states, events and log lines, once or followed.
/// Results are the JSON text of `result`. The service asks the target to be woken only while
/// somebody follows; texts are made once for all readers of the same.
class Subscriptions {
 public:
  using Result = expected<std::string, WireError>;
  Subscriptions(Target& target, const supervisor::BackpressureSpec& backpressure);
  ~Subscriptions();
  Subscriptions(const Subscriptions&) = delete;
  Subscriptions& operator=(const Subscriptions&) = delete;

  [[nodiscard]] Result state(const StateParams& params, supervisor::TimePoint now, Timestamp wall);
  [[nodiscard]] Result query_events(const EventsQueryParams& params);
  [[nodiscard]] Result subscribe_state(Recipient reader, const StateSubscribeParams& params,
                                       supervisor::TimePoint now, Timestamp wall);
  [[nodiscard]] Result subscribe_events(Recipient reader, const EventsSubscribeParams& params,
                                        supervisor::TimePoint now);
  [[nodiscard]] Result tail_logs(Recipient reader, const LogsTailParams& params,
                                 supervisor::TimePoint now);
  [[nodiscard]] Result unsubscribe(ConnectionId connection, const UnsubscribeParams& params);

  /// The connection is gone: its subscriptions too.
  void close(ConnectionId connection);
  [[nodiscard]] std::size_t count(ConnectionId connection) const;
  [[nodiscard]] std::size_t total() const;  ///< Of all connections.

  /// New events or lines are there.
  void wake(supervisor::TimePoint now, Timestamp wall);
  /// Followed states that are due, events that were waited for.
  void tick(supervisor::TimePoint now, Timestamp wall);
  [[nodiscard]] std::optional<supervisor::TimePoint> next_deadline() const;
  /// The target has ended: the rest is handed out, then an `end` line each.
  void end(const std::string& reason, supervisor::TimePoint now, Timestamp wall);
  /// Connections that have got something since the last call.
  [[nodiscard]] std::vector<ConnectionId> touched();
  /// About readers that are too slow, since the last call.
  [[nodiscard]] std::vector<ReaderNews> take_news();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::ipc::internal
