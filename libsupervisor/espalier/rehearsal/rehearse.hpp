#pragma once

#include "espalier/rehearsal/report.hpp"
#include "espalier/rehearsal/storm.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <cstdint>

namespace espalier::rehearsal {

struct RehearsalOptions {
  std::uint64_t seed = 1;  ///< Of all that happens by chance.
  supervisor::Duration length = std::chrono::hours{24};
  std::uint64_t most_starts = 10'000'000;  ///< After so many it is cut short.
};

/// What that tree would go through in that storm. The supervisors are the ones that run in
/// production, children are played, time is virtual: thirty days take seconds. Nothing of the tree
/// is run: no program, factory or probe; gates are free, and health checks pass unless the storm
/// says otherwise. The same tree, storm and seed give the same report.
///
/// Throws std::invalid_argument for a tree whose dependencies are not in order, and
/// std::logic_error for one that does not come to rest (a child that fails at once for ever,
/// without back-off and limit).
[[nodiscard]] Report rehearse(const supervisor::SupervisorSpec& tree, const Storm& storm,
                              const RehearsalOptions& options);

}  // namespace espalier::rehearsal
