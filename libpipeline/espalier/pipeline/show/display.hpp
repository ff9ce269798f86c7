#pragma once

#include "espalier/pipeline/show/dashboard.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::pipeline {

struct DisplayOptions {
  int fd = 2;                       ///< Standard error: results may go to standard output.
  std::optional<bool> screen = {};  ///< Redraw pictures; default: where the terminal can.
  std::optional<bool> color = {};   ///< Default: where the terminal can and NO_COLOR is not set.
  Duration line_interval = std::chrono::seconds{5};  ///< Where pictures cannot be redrawn.
};

/// "progress", "compact", "detailed", "full", "json".
[[nodiscard]] const std::vector<std::string>& display_words();

/// A display by its word; an error names the words there are.
///
/// progress: a bar in one line. compact: a panel. detailed: tables of stages and workers. full: the
/// whole screen, items too, and a report at the end. json: a line of JSON for each update. The
/// pictures need a terminal; elsewhere they become a plain line now and then, and one at the end.
/// The terminal is put back at the end and when the display is destroyed.
[[nodiscard]] expected<std::shared_ptr<DashboardProtocol>, std::string> make_display(
    std::string_view word, DisplayOptions options = {});

}  // namespace espalier::pipeline
