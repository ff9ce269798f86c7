#pragma once

#include "espalier/ipc/core/framer.hpp"
#include "espalier/ipc/core/outbox.hpp"
#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/core/rate_limiter.hpp"
#include "espalier/ipc/core/replay_guard.hpp"
#include "espalier/ipc/core/service.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace espalier::ipc::internal {

/// Everything that belongs to one connection.
struct Connection {
  static constexpr std::size_t replay_capacity = 8192;

  Connection(ConnectionId number, Peer who, const supervisor::DashboardSecurity& rules,
             supervisor::TimePoint now)
      : id(number),
        peer(std::move(who)),
        framer(rules.max_line_bytes),
        outbox(rules.max_queued_bytes, rules.max_queued_events),
        rate(rules.requests_per_second, rules.request_burst),
        replay(rules.replay_window, replay_capacity),
        last_request(now) {}

  ConnectionId id;
  Peer peer;
  Framer framer;
  Outbox outbox;
  std::uint64_t dropped_counted = 0;  ///< Of what the outbox dropped.
  RateLimiter rate;
  ReplayGuard replay;
  supervisor::TimePoint last_request;
  std::optional<supervisor::TimePoint> line_began = {};   ///< Of a line that has no end yet.
  std::optional<supervisor::TimePoint> waits_since = {};  ///< Output is there, nothing was taken.
  std::optional<supervisor::TimePoint> rate_audited_at = {};
  /// No more requests; when it is cut off even if output still waits.
  std::optional<supervisor::TimePoint> cut_off_at = {};
  bool is_dead = false;  ///< Nothing more is written either.

  [[nodiscard]] bool is_closing() const { return cut_off_at.has_value() || is_dead; }
};

}  // namespace espalier::ipc::internal
