#pragma once

#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/observe/log_sink.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// Which terminal features to use: what the user said, NO_COLOR and TERM, and what the file
/// descriptor is. `choice` is auto, always or never.
[[nodiscard]] bool wants_color(const std::string& choice, int fd);
/// True where a screen can be redrawn.
[[nodiscard]] bool is_screen(int fd);
/// True where the locale says that the terminal understands UTF-8.
[[nodiscard]] bool is_utf8_locale();
/// `word` is auto, text, json or journald; auto is what fits standard error.
[[nodiscard]] supervisor::LogFormat log_format_of(const std::string& word);
/// `word` is debug, info, warning or error.
[[nodiscard]] supervisor::Severity severity_of_word(const std::string& word);

/// What the program itself has to say, on standard error, a whole line at a time, in the format of
/// the log it stands in.
void say(supervisor::LogFormat format, supervisor::Severity severity, const std::string& text);

/// The problems of a file, one a line, and how many they are.
[[nodiscard]] std::string render_problems(const std::vector<supervisor::ConfigProblem>& problems);

}  // namespace espalier::cli
