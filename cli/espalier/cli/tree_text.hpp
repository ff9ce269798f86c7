#pragma once

#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// The tree that would be started, one line a node, as plain text.
[[nodiscard]] std::string describe_tree(const supervisor::SupervisorSpec& root);

/// Paths of all children in the order in which they are started; a supervisor stands before its
/// children, which are up before it counts as up.
[[nodiscard]] std::vector<std::string> start_paths(const supervisor::SupervisorSpec& root);

/// How a tree ended, as lines for a person: what happened, counts per outcome, and by name every
/// child that was ended by force or could not be ended, and everything found that should be gone.
[[nodiscard]] std::vector<std::string> summarize(const supervisor::TreeResult& result);

/// The exit status that belongs to it (see exit_codes.hpp).
[[nodiscard]] int exit_code_of(const supervisor::TreeResult& result);

}  // namespace espalier::cli
