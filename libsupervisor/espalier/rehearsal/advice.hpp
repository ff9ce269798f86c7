#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <string>
#include <vector>

namespace espalier::rehearsal {

/// The worst case of the numbers that were chosen, one sentence each: what a child that always
/// fails does to the tree and when, who would not notice that it hangs, and how long a shutdown
/// takes when nobody heeds it. Found by rehearsal, not by formula, so it is what would happen.
/// Cost: some milliseconds a child. Throws as `rehearse` does, but for children that never rest.
[[nodiscard]] std::vector<std::string> advice_for(const supervisor::SupervisorSpec& tree);

}  // namespace espalier::rehearsal
