#include "espalier/supervisor/process/notify_message.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace espalier::supervisor {

namespace {

std::optional<Duration> parse_microseconds(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) return std::nullopt;
  constexpr auto most = std::chrono::duration_cast<std::chrono::microseconds>(Duration::max());
  if (value > static_cast<std::uint64_t>(most.count())) return Duration::max();
  return std::chrono::microseconds{static_cast<std::int64_t>(value)};
}

void apply(NotifyMessage& message, std::string_view key, std::string_view value) {
  if (key == "READY") {
    message.ready |= value == "1";
  } else if (key == "WATCHDOG") {
    message.alive |= value == "1";
    message.unhealthy |= value == "trigger";
  } else if (key == "STATUS") {
    message.status = std::string{value};
  } else if (key == "EXTEND_TIMEOUT_USEC") {
    if (const auto by = parse_microseconds(value)) message.extend = by;
  }
}

}  // namespace

NotifyMessage parse_notify_message(std::string_view datagram) {
  NotifyMessage result;
  while (!datagram.empty()) {
    const auto end = std::min(datagram.find('\n'), datagram.size());
    const auto line = datagram.substr(0, end);
    const auto equals = line.find('=');
    if (equals != std::string_view::npos) {
      apply(result, line.substr(0, equals), line.substr(equals + 1));
    }
    datagram.remove_prefix(std::min(end + 1, datagram.size()));
  }
  return result;
}

}  // namespace espalier::supervisor
