#pragma once

#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/runtime/tree_state.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Copies what the supervisors have published; waits for none of them. `root` is the view of "/".
[[nodiscard]] expected<TreeState, Error> read_state(const TreeServices& services,
                                                    const StateQuery& query, const ChildView& root);

/// At most `limit` paths of children that should be ready and are not.
[[nodiscard]] std::vector<std::string> unready_paths(const TreeServices& services,
                                                     std::size_t limit);

/// "there is no /dp; did you mean /db?"
[[nodiscard]] Error not_found(const TreeServices& services, const std::string& path);

}  // namespace espalier::supervisor
