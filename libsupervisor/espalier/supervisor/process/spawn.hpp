#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/process/launch_plan.hpp"

#include <sys/types.h>

#include <string>

namespace espalier::supervisor {

/// What the program finds open; everything else is closed.
struct SpawnFds {
  int stdio[3] = {-1, -1, -1};  ///< Each above 2.
  int inherited = -1;           ///< Above 3; becomes 3 where it is one.
};

struct Spawned {
  pid_t pid = -1;
  UniqueFd pidfd = {};
  std::string problem = {};    ///< Not empty: no process came to be, and why.
  bool misconfigured = false;  ///< The problem is one of the spec, not of the moment.
};

/// Runs `plan` as the leader of a process group of its own; returns once the program has replaced
/// the copy of us (or has failed to).
///
/// Memory is shared until then (vfork semantics), so the cost does not grow with this process.
/// The process gets SIGKILL when the calling thread ends. All signals must be blocked in the
/// calling thread: a handler that ran in the child would run on our memory.
[[nodiscard]] Spawned spawn(const LaunchPlan& plan, const ProcessSpec& spec, const SpawnFds& fds);

}  // namespace espalier::supervisor
