#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <string>

namespace espalier::cli {

/// What an event says, without its time and path: "child_exited: exit code 1 (recoverable)".
[[nodiscard]] std::string event_text(const ipc::Json& event);
/// Time, path and what it says, on one line; cut where somebody looks at it.
[[nodiscard]] std::string event_line(const ipc::Json& event, const Terminal& terminal);
/// A line of output with its time and its child.
[[nodiscard]] std::string log_line(const ipc::LogLine& line, const Terminal& terminal);
/// "-- 12 events are missing (4 to 15): slow_reader --"
[[nodiscard]] std::string gap_line(const ipc::Json& gap, const std::string& what,
                                   const Terminal& terminal);

}  // namespace espalier::cli
