#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/snapshot.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// The verbs that read on. With -f they go on over broken connections and restarts of the target,
/// say what is missing, and end with Ctrl-C (130), when nobody reads them any more, or when the
/// tree has ended.
[[nodiscard]] int events_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int logs_verb(const RemoteOptions& options, const Terminal& terminal);
/// Until every child that is meant is ready, stopped or removed; 124 where that takes too long.
[[nodiscard]] int wait_verb(const RemoteOptions& options, const Terminal& terminal);

/// Pure: whether the nodes that `pattern` means are as `state` (ready, stopped, removed) says.
/// Where there is none, they count as removed, and as nothing else.
[[nodiscard]] bool is_reached(const std::vector<ipc::NodeInfo>& nodes, const std::string& pattern,
                              const std::string& state);

}  // namespace espalier::cli
