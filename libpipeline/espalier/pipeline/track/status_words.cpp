#include "espalier/pipeline/track/status_words.hpp"

#include <cstddef>

namespace espalier::pipeline {
namespace {

constexpr std::array<std::string_view, 7> status_words = {
    "queued", "in_progress", "completed", "failed", "retrying", "skipped", "cancelled"};
constexpr std::array<std::string_view, 4> moment_words = {"start", "complete", "retry", "fail"};

}  // namespace

std::string_view to_string(Status status) {
  return status_words.at(static_cast<std::size_t>(status));
}

std::optional<Status> status_of(std::string_view word) {
  for (const Status status : all_statuses) {
    if (to_string(status) == word) return status;
  }
  return std::nullopt;
}

std::string_view to_string(TaskMoment moment) {
  return moment_words.at(static_cast<std::size_t>(moment));
}

}  // namespace espalier::pipeline
