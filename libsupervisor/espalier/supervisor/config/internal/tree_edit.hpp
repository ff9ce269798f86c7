#pragma once

#include "espalier/supervisor/config/internal/fields.hpp"
#include "espalier/supervisor/config/internal/node.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// Moves keys given in another spelling to where they belong, with the position they had. A key
/// given in both spellings is a problem. `path`: of `map`, for problems.
void move_spellings(Node& map, const std::vector<Spelling>& table, const std::string& path,
                    Problems& problems);

/// Puts ESPALIER__SECTION__FIELD variables over what the document says.
void apply_overrides(Node& root, const LoadOptions& options, Problems& problems);

}  // namespace espalier::supervisor::internal
