#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace espalier::supervisor {

/// What one sd_notify datagram says. Unknown assignments and malformed numbers are passed over,
/// as the protocol asks.
struct NotifyMessage {
  bool ready = false;                      ///< READY=1
  bool alive = false;                      ///< WATCHDOG=1
  bool unhealthy = false;                  ///< WATCHDOG=trigger
  std::optional<Duration> extend = {};     ///< EXTEND_TIMEOUT_USEC=
  std::optional<std::string> status = {};  ///< STATUS=
};

[[nodiscard]] NotifyMessage parse_notify_message(std::string_view datagram);

}  // namespace espalier::supervisor
