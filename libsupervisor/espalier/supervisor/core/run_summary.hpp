#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What a run came to, told at its end and whenever it took a turn for the worse: on a meltdown
/// (a supervisor's limit), an escalation and a shutdown that ran out of time.
struct RunSummary {
  std::string occasion = {};  ///< "shutdown", "meltdown", "escalation", "shutdown_timeout".
  std::string cause = {};
  std::chrono::system_clock::time_point started_at = {};
  Duration uptime = Duration::zero();
  std::uint64_t restarts = 0;
  std::uint64_t failures = 0;
  std::uint64_t commands = 0;
  std::vector<std::string> recent_failures = {};  ///< "/db: exit code 1 ...", newest last.
  std::string final_decision = {};                ///< The last decision, as a sentence.
  std::string state = {};                         ///< "running", "stopped", "failed".
};

}  // namespace espalier::supervisor
