#pragma once

#include "espalier/cli/commands.hpp"
#include "espalier/cli/remote/options.hpp"
#include "espalier/ipc/wire/json.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>

namespace espalier::cli {

/// Where a verb writes and what the reader there can take.
struct Terminal {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  std::ostream& out;
  std::ostream& err;
  std::size_t width = unlimited;  ///< Columns of text; unlimited where nobody looks at it.
  bool color = false;
  bool unicode = false;
  bool asks = false;  ///< A person can be asked: standard input and error are a terminal.
};

/// Of this process: COLUMNS or the terminal's size, NO_COLOR, TERM, the locale.
[[nodiscard]] Terminal terminal_of(const Streams& streams, const RemoteOptions& options);

/// Meaning of a colour; what it looks like is decided in one place.
enum class Ink : std::uint8_t { plain, faint, strong, good, busy, bad };
[[nodiscard]] std::string paint(const std::string& text, Ink ink, bool color);

/// JSON on one line, with characters that drive or confuse a terminal as \u escapes.
[[nodiscard]] std::string safe_json(const ipc::Json& json);
/// The same over several lines, for -o json.
[[nodiscard]] std::string safe_json_pretty(const ipc::Json& json);

/// "espalier: ..." on standard error; line breaks of a long message stay. Answers `code`.
int fail(const Terminal& terminal, int code, const std::string& message);

/// Asks a question that only y or yes answers with yes.
[[nodiscard]] bool confirm(const Terminal& terminal, const std::string& question);

}  // namespace espalier::cli
