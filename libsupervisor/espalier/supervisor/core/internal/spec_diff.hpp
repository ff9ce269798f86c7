#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// What is different, in words: "command changed", "restart limit 5 -> 10".
using Differences = std::vector<std::string>;

/// Between two descriptions of what a child is made of: it has to be started anew.
[[nodiscard]] Differences made_differently(const ChildSpec& now, const ChildSpec& wanted);
/// Between two descriptions of how it is treated: taken over while it runs.
[[nodiscard]] Differences treated_differently(const ChildSpec& now, const ChildSpec& wanted);
/// Between the settings of two supervisors; their children are not looked at.
[[nodiscard]] Differences settings_differ(const SupervisorSpec& now, const SupervisorSpec& wanted);

}  // namespace espalier::supervisor::internal
