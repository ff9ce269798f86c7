#pragma once

#include "espalier/rehearsal/storm.hpp"
#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <string>
#include <vector>

namespace espalier::rehearsal {

/// Reads the script of a rehearsal; `storm.yaml` in the manual has every key. All problems at once,
/// with line and column; nothing is half loaded.
[[nodiscard]] expected<Storm, std::vector<supervisor::ConfigProblem>> load_storm_text(
    const std::string& text, const std::string& file_name);
[[nodiscard]] expected<Storm, std::vector<supervisor::ConfigProblem>> load_storm_file(
    const std::string& path);

/// "/api:5%" (of its starts), "/api:3/day" (s, min, h, day, week). On a fault: what is expected.
[[nodiscard]] expected<storm::Failures, std::string> parse_failures(const std::string& text);

}  // namespace espalier::rehearsal
