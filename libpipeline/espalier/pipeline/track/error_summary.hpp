#pragma once

#include "espalier/pipeline/core/counts.hpp"
#include "espalier/pipeline/track/events.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// What went wrong in a run. The numbers count every failed item; `items` are those that are kept.
struct ErrorSummary {
  std::uint64_t total_failed = 0;
  std::map<std::string, std::uint64_t> by_type = {};
  std::map<std::string, std::uint64_t> by_stage = {};
  std::vector<FailedItem> items = {};  ///< Oldest first.
};

/// What can be known without a tracker: the total, and at which stages. No types, no items.
[[nodiscard]] ErrorSummary error_summary_of(const PipelineSnapshot& snapshot);

/// For people: "No errors occurred", or the total and then types and stages, most frequent first.
/// Ends without a newline. Types are as the program names them; the caller makes them printable.
[[nodiscard]] std::string to_string(const ErrorSummary& summary);

/// Most frequent first, then by name.
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> by_count(
    const std::map<std::string, std::uint64_t>& counts);

}  // namespace espalier::pipeline
