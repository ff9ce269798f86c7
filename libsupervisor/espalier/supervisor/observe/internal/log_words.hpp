#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/observe/log_sink.hpp"

#include <spdlog/common.h>
#include <spdlog/formatter.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace espalier::supervisor::internal {

[[nodiscard]] spdlog::level::level_enum level_of(Severity severity);
[[nodiscard]] Severity severity_of_level(spdlog::level::level_enum level);

/// Marks, as its source location, a message that is in its format already.
[[nodiscard]] spdlog::source_loc ready_mark();

/// Writes each message as one line of the format, whoever logs it: text with the time and the level
/// before it, an object of JSON, or what journald takes for one message with its priority. Control
/// characters are escaped.
[[nodiscard]] std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format);

/// What a log says of itself, as a line of the format, with its newline.
[[nodiscard]] std::string own_line(LogFormat format, Severity severity, std::string_view text,
                                   std::chrono::system_clock::time_point at);

}  // namespace espalier::supervisor::internal
