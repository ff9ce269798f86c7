#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace espalier::metrics {

inline constexpr std::size_t longest_label = 96;  ///< Bytes of a label's value.
/// What stands for children, supervisors or others that have no series of their own.
inline constexpr std::string_view others = "(others)";

/// True: it can be shown as it is.
[[nodiscard]] bool is_bounded_label(std::string_view value);
/// What is too long keeps its beginning and gets a hash, so that two that differ still do; control
/// characters become spaces, bytes that are no UTF-8 question marks.
[[nodiscard]] std::string bounded_label(std::string_view value);

}  // namespace espalier::metrics
