#pragma once

#include "espalier/ipc/wire/snapshot.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// Paths of nodes that one of `patterns` matches, in the order of the tree, without the root.
/// `whole`: a node is left out where one above it is in, as what is done to that reaches it.
[[nodiscard]] std::vector<std::string> select_paths(const std::vector<ipc::NodeInfo>& nodes,
                                                    const std::vector<std::string>& patterns,
                                                    bool whole);

}  // namespace espalier::cli
