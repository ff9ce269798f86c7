#pragma once

#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/core/event_cause.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace espalier::supervisor {

/// Where a child stands.
enum class ChildPhase : std::uint8_t {
  idle,         ///< Not started yet, or waits for the restart of its scope.
  blocked,      ///< Due to start, a dependency is not ready.
  gated,        ///< Due to start, something it needs is not free yet.
  backing_off,  ///< Restart at a known time.
  queued,       ///< Restart once a budget has a token or the tree admits it.
  starting,
  running,    ///< Ready.
  suspended,  ///< Ready, its clock stopped by an operator.
  stopping,
  aborting,
  stopped,      ///< Ended and stays so.
  paused,       ///< Stopped by an operator until resumed.
  held,         ///< Failed; its group is held until reset.
  quarantined,  ///< Kept from restarts until an operator resumes or restarts it.
  abandoned,    ///< Could not be ended; may still live.
  removed,      ///< Forgotten; its slot is free.
};

/// What the operator wants of a child; `run` unless a command said otherwise.
enum class Intent : std::uint8_t { run, stopped, paused, quarantined, removed };

/// All that an engine knows of one child now.
struct ChildView {
  ChildPhase phase = ChildPhase::idle;
  Intent intent = Intent::run;
  std::uint64_t generation = 0;
  std::uint64_t attempt = 0;
  std::uint64_t restarts_total = 0;
  std::uint64_t restarts_in_window = 0;
  std::uint64_t restart_limit = 0;    ///< 0: none.
  TimePoint since = {};               ///< When the phase began.
  std::optional<TimePoint> due = {};  ///< Of the pending timer: restart, start or stop deadline.
  std::optional<std::int64_t> pid = {};
  std::shared_ptr<const std::string> status = {};  ///< In its own words.
  std::shared_ptr<const ExitRecord> last_exit = {};
  std::shared_ptr<const RestartDecision> last_decision = {};
  Cause last_cause = {};  ///< Of the last decision's event.
};

[[nodiscard]] const char* to_string(ChildPhase x);
[[nodiscard]] const char* to_string(Intent x);

}  // namespace espalier::supervisor
