#pragma once

#include "espalier/supervisor/core/phase_counts.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// How a tree ended.
struct TreeResult {
  enum class Kind : std::uint8_t { stopped, failed, start_failed };
  Kind kind = Kind::stopped;
  std::string reason = {};
  ShutdownReport report = {};
};

/// How a tree fares.
struct HealthReport {
  enum class State : std::uint8_t {
    starting,
    up,
    degraded,  ///< Up, but a child that should be ready is not.
    stopping,
    stopped,
    failed,  ///< It ended by itself, or did not start.
  };
  State state = State::starting;
  bool alive = true;                                 ///< It has not ended yet.
  std::chrono::system_clock::time_point since = {};  ///< When this state began.
  PhaseCounts counts = {};
  /// Paths of children that should be ready and are not, at most 32; `counts.unready` has them
  /// all. Optional children and those an operator holds aside are not among them.
  std::vector<std::string> not_ready = {};
  std::optional<TreeResult> ended = {};
};

[[nodiscard]] const char* to_string(HealthReport::State x);

}  // namespace espalier::supervisor
