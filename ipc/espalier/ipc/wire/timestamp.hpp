#pragma once

#include "espalier/ipc/wire/describe.hpp"

#include <optional>
#include <string_view>

namespace espalier::ipc {

/// RFC 3339 in UTC: "2026-01-31T12:03:07.001234Z"; the fraction may have 1 to 9 digits, of which
/// six count, or be left out. Absent: it is no such time, or outside of 1678 to 2261.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

}  // namespace espalier::ipc
