#pragma once

#include "espalier/pipeline/core/kernel.hpp"
#include "espalier/pipeline/core/track_event.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace espalier::pipeline {

inline constexpr std::array<Status, 7> all_statuses = {
    Status::queued,   Status::in_progress, Status::completed, Status::failed,
    Status::retrying, Status::skipped,     Status::cancelled};

/// The words of users, the same everywhere: "in_progress".
[[nodiscard]] std::string_view to_string(Status status);
[[nodiscard]] std::optional<Status> status_of(std::string_view word);
/// "start", "complete", "retry", "fail".
[[nodiscard]] std::string_view to_string(TaskMoment moment);

}  // namespace espalier::pipeline
