#pragma once

#include "espalier/supervisor/process/launch_plan.hpp"

#include <optional>
#include <string>

namespace espalier::supervisor {

/// A user and group out of a process spec, and what the user database knows of them.
struct IdentityLookup {
  std::optional<Identity> identity = {};  ///< Empty: nothing to change.
  std::string user = {};                  ///< Login name; empty where there is none.
  std::string home = {};
  std::string problem = {};  ///< Not empty: why it cannot be.
};

[[nodiscard]] IdentityLookup find_identity(const std::string& user, const std::string& group);

}  // namespace espalier::supervisor
