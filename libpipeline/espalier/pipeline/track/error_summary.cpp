#include "espalier/pipeline/track/error_summary.hpp"

#include <algorithm>

namespace espalier::pipeline {
namespace {

void append_counts(std::string& out, const std::string& title,
                   const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  out += "\n" + title + ":";
  for (const auto& [name, count] : by_count(counts))
    out += "\n  " + name + ": " + std::to_string(count);
}

}  // namespace

ErrorSummary error_summary_of(const PipelineSnapshot& snapshot) {
  ErrorSummary summary;
  summary.total_failed = snapshot.counts.failed;
  for (const StageStats& stage : snapshot.stages) {
    if (stage.failed > 0) summary.by_stage[stage.name] += stage.failed;
  }
  return summary;
}

std::string to_string(const ErrorSummary& summary) {
  if (summary.total_failed == 0) return "No errors occurred";
  std::string out = "Failed items: " + std::to_string(summary.total_failed);
  append_counts(out, "By type", summary.by_type);
  append_counts(out, "By stage", summary.by_stage);
  return out;
}

std::vector<std::pair<std::string, std::uint64_t>> by_count(
    const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

}  // namespace espalier::pipeline
