#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// A fault in a description, whoever wrote it: which fields it lies in, what is wrong, what to do.
struct SpecProblem {
  /// As in a tree file, relative to the child, policy or supervisor: "readiness.probe". Several
  /// when they contradict each other.
  std::vector<std::string> fields = {};
  std::string message = {};
  bool is_gap = false;  ///< Something is missing: no news where what was given has been refused.
};

/// Settings of a policy that contradict each other.
[[nodiscard]] std::vector<SpecProblem> policy_problems(const ChildPolicy& policy);

/// What is wrong with one child among its siblings, without its policy_problems. A pool's template
/// is looked at too. `known_probes`: functions a probe may name.
[[nodiscard]] std::vector<SpecProblem> child_problems(const SupervisorSpec& spec,
                                                      const ChildSpec& child,
                                                      const std::vector<std::string>& known_probes);

/// What is wrong with the settings of a supervisor.
[[nodiscard]] std::vector<SpecProblem> level_problems(const SupervisorSpec& spec, bool is_root);

}  // namespace espalier::supervisor
