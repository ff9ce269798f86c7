#pragma once

#include "espalier/supervisor/config/tree_config.hpp"

#include <vector>

namespace espalier::cli {

/// What a correct file asks of this machine and the machine cannot give: commands that do not
/// exist or may not be run, working directories, users and groups. All of them, in file order,
/// each at its line and column. Looks only; starts nothing.
[[nodiscard]] std::vector<supervisor::ConfigProblem> check_host(
    const supervisor::TreeConfig& config);

}  // namespace espalier::cli
