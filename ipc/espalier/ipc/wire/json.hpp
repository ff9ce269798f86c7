#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace espalier::ipc {

using Json = nlohmann::ordered_json;

/// Parses one line from a stranger. Refused, with a sentence that says what and at which byte:
/// nesting deeper than `max_depth`, the same key twice in one object, bytes that are not UTF-8,
/// numbers that no double holds, a byte order mark, anything after the value. Never throws, and
/// needs memory only in proportion to the text. Cost: linear.
inline constexpr std::size_t max_depth = 32;
[[nodiscard]] expected<Json, std::string> parse_json(std::string_view text,
                                                     std::size_t depth = max_depth);

}  // namespace espalier::ipc
