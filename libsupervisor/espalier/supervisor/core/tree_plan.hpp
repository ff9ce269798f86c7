#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What it takes to make one supervisor and its children what a new description says: names of
/// children, and the same as sentences. All of it pure; sizes are those of the two descriptions,
/// cost is theirs times a logarithm.
struct LevelPlan {
  std::vector<std::string> added = {};      ///< In start order.
  std::vector<std::string> removed = {};    ///< In reverse order of `now`.
  std::vector<std::string> restarted = {};  ///< What they are made of is different.
  std::vector<std::string> changed = {};    ///< Taken over while they run.
  /// For people, in the order it is done: remove, restart, change children, start, change the
  /// supervisor itself.
  std::vector<std::string> lines = {};
  bool level_changed = false;  ///< A setting of the supervisor itself.

  [[nodiscard]] bool empty() const { return lines.empty(); }
};

/// Compares one level. `now`: its children in order; those named in `dynamic` were added at run
/// time and stay although `wanted` does not know them. `level_now`: the settings in force, its
/// children are not looked at. `path`: of the supervisor. A supervisor that is on both sides is
/// compared by its policy only; what is below it is a level of its own.
[[nodiscard]] LevelPlan plan_level(const std::vector<std::shared_ptr<const ChildSpec>>& now,
                                   const std::set<std::string>& dynamic,
                                   const SupervisorSpec& level_now, const SupervisorSpec& wanted,
                                   const std::string& path);

/// All levels from the root down, as sentences; empty: nothing is to be done.
[[nodiscard]] std::vector<std::string> plan_tree(const SupervisorSpec& now,
                                                 const SupervisorSpec& wanted);

}  // namespace espalier::supervisor
