#include "espalier/ipc/core/internal/users.hpp"

#include <algorithm>
#include <string>

namespace espalier::ipc::internal {

namespace {

WireError too_many(const std::string& whose, std::uint32_t count) {
  return {ErrorCode::too_many_connections,
          Stage::connection,
          whose + " has " + std::to_string(count) +
              " connections, as many as it may have; close one of them, or try again later",
          true,
          {}};
}

}  // namespace

std::optional<WireError> Users::enter(const Peer& peer) {
  if (!authorisation_.may_connect(peer)) {
    return WireError{ErrorCode::forbidden,
                     Stage::connection,
                     "user " + std::to_string(peer.uid) +
                         " may not connect; ask whoever configures this target to list the user, "
                         "or a group, under dashboard.security",
                     false,
                     {}};
  }
  const auto kept = std::min(kept_for_owners, rules_.max_connections / 2);
  const auto most = rules_.max_connections - (authorisation_.is_owner(peer) ? 0 : kept);
  if (connections_ >= most) return too_many("this target", connections_);
  auto& own = user(peer.uid);
  if (own.connections >= rules_.max_connections_per_uid) {
    return too_many("user " + std::to_string(peer.uid), own.connections);
  }
  ++own.connections;
  ++connections_;
  return {};
}

void Users::leave(const Peer& peer) {
  --user(peer.uid).connections;
  --connections_;
  forget_absent();
}

supervisor::Duration Users::take(std::uint32_t uid, supervisor::TimePoint now) {
  return user(uid).rate.take(now);
}

Users::User& Users::user(std::uint32_t uid) {
  const RateLimiter full{rules_.uid_requests_per_second, rules_.uid_request_burst};
  return users_.try_emplace(uid, User{full}).first->second;
}

void Users::forget_absent() {
  if (users_.size() <= most_absent) return;
  std::erase_if(users_, [](const auto& x) { return x.second.connections == 0; });
}

}  // namespace espalier::ipc::internal
