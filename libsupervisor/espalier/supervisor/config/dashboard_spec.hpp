#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Who may do something, by the user and group numbers that the kernel tells of a peer.
struct PeerRule {
  std::vector<std::uint32_t> uids = {};
  std::vector<std::uint32_t> gids = {};
  bool operator==(const PeerRule&) const = default;
};

/// The nine controls of the socket; docs/ipc.md names them C1 to C9. The user the program runs as
/// and root may do everything; all others only what stands here.
struct DashboardSecurity {
  PeerRule read = {};       ///< May look: state, events, logs, why.
  PeerRule write = {};      ///< May also steer: start, stop, restart, pause, resume, scale.
  PeerRule dangerous = {};  ///< May also add, remove, reload and shut down.

  std::size_t max_line_bytes = 64UL * 1024;  ///< Of a request.
  double requests_per_second = 1000;         ///< Of one connection.
  std::uint32_t request_burst = 200;
  double uid_requests_per_second = 4000;  ///< Of all connections of one user.
  std::uint32_t uid_request_burst = 800;
  std::uint32_t max_connections = 256;  ///< Some of them are kept for root and our own user.
  std::uint32_t max_connections_per_uid = 64;
  Duration idle_timeout = std::chrono::minutes{5};    ///< Without a request or a subscription.
  Duration line_timeout = std::chrono::seconds{5};    ///< From the first byte of a line to its end.
  Duration stall_timeout = std::chrono::seconds{30};  ///< A reader that takes nothing any more.
  std::size_t max_queued_bytes = 1UL << 20U;          ///< Waiting for one reader.
  std::size_t max_queued_events = 4096;
  Duration replay_window = std::chrono::seconds{60};     ///< A request_id counts as seen so long.
  Duration command_lifetime = std::chrono::minutes{10};  ///< Of the answer kept by command_id.
  /// Programs that children added over the socket may run: absolute paths, or names looked up in
  /// PATH. Empty: none.
  std::vector<std::string> allowed_commands = {};
  std::string audit_file = {};  ///< Empty: the last `audit_capacity` records, in memory.
  std::size_t audit_capacity = 1024;
  bool operator==(const DashboardSecurity&) const = default;
};

/// Where this program makes itself known; see docs/ipc.md, registration.
struct RegistrationSpec {
  std::string path = {};  ///< Socket of the relay; empty: none.
  Duration lease = std::chrono::seconds{30};
  Duration initial_backoff = std::chrono::milliseconds{200};
  Duration max_backoff = std::chrono::seconds{30};
  bool operator==(const RegistrationSpec&) const = default;
};

enum class BindMode : std::uint8_t {
  create_new,     ///< Fails where anything is there.
  replace_stale,  ///< Replaces a socket of ours that nobody answers on, and nothing else.
};

/// The `dashboard` section: the socket of a tree. Without the section nothing listens.
struct DashboardSpec {
  bool enabled = false;           ///< True where the section stands and does not say otherwise.
  std::string target_id = {};     ///< Empty: the name of the root supervisor.
  std::string display_name = {};  ///< Empty: target_id.
  std::string path = {};          ///< Empty: TARGET_ID.sock in the runtime directory.
  std::uint32_t permissions = 0600;
  BindMode bind_mode = BindMode::replace_stale;
  std::size_t log_capacity = 1000;  ///< Lines of output kept for `logs`.
  DashboardSecurity security = {};
  RegistrationSpec registration = {};
  bool operator==(const DashboardSpec&) const = default;
};

[[nodiscard]] const char* to_string(BindMode x);

}  // namespace espalier::supervisor
