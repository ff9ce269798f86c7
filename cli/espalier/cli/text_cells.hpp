#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace espalier::cli {

/// Makes text of strangers safe for a terminal: control characters, bytes that are no UTF-8 and
/// characters that reverse the reading direction become visible escapes such as `\x1b`.
[[nodiscard]] std::string escape_controls(std::string_view text);

/// Columns that escaped text takes on a terminal.
[[nodiscard]] std::size_t cell_width(std::string_view text);

/// Escaped text in at most `width` columns; what had to be cut ends in "..".
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

/// As `cut`, filled up with blanks to exactly `width` columns.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width);

}  // namespace espalier::cli
