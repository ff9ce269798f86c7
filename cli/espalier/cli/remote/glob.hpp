#pragma once

#include "espalier/ipc/wire/snapshot.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace espalier::cli {

/// True where `path` is a pattern: it holds `*` or `?`, which no name may.
[[nodiscard]] bool is_glob(std::string_view path);
/// `*` and `?` stay within a name, `**` crosses names. Cost: their product at worst.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view path);

/// Paths of nodes that one of `patterns` matches, in the order of the tree, without the root.
/// `whole`: a node is left out where one above it is in, as what is done to that reaches it.
[[nodiscard]] std::vector<std::string> select_paths(const std::vector<ipc::NodeInfo>& nodes,
                                                    const std::vector<std::string>& patterns,
                                                    bool whole);

}  // namespace espalier::cli
