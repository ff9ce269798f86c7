#pragma once

#include "espalier/ipc/core/authorisation.hpp"
#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/core/rate_limiter.hpp"
#include "espalier/ipc/wire/error.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace espalier::ipc::internal {

/// What is counted for each user over all of his connections (control C6): connections, and
/// requests. A user who goes and comes back finds his bucket as he left it.
class Users {
 public:
  Users(const supervisor::DashboardSecurity& rules, const Authorisation& authorisation)
      : rules_(rules), authorisation_(authorisation) {}

  /// C2 and the caps. Nothing: the peer may connect, and is counted until `leave`.
  [[nodiscard]] std::optional<WireError> enter(const Peer& peer);
  void leave(const Peer& peer);
  /// As RateLimiter::take, of all connections of a user.
  [[nodiscard]] supervisor::Duration take(std::uint32_t uid, supervisor::TimePoint now);

 private:
  static constexpr std::uint32_t kept_for_owners = 8;
  static constexpr std::size_t most_absent = 1024;
  struct User {
    RateLimiter rate;
    std::uint32_t connections = 0;
  };
  [[nodiscard]] User& user(std::uint32_t uid);
  void forget_absent();
  const supervisor::DashboardSecurity& rules_;
  const Authorisation& authorisation_;
  std::unordered_map<std::uint32_t, User> users_ = {};
  std::uint32_t connections_ = 0;
};

}  // namespace espalier::ipc::internal
