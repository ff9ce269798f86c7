#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What became of one child in a shutdown.
enum class ChildShutdownOutcome : std::uint8_t {
  already_exited,  ///< Nothing ran when the shutdown began.
  graceful,        ///< Asked to stop, and did within its grace.
  aborted,         ///< Past its grace; ended by force.
  abort_failed,    ///< Not even that helped: it still runs, an orphan.
  late_report,     ///< Ended after it had been given up.
};

/// Exactly one per child that existed, in the order they were dealt with.
struct ChildShutdownStatus {
  std::string path = {};
  ChildShutdownOutcome outcome = ChildShutdownOutcome::already_exited;
  std::uint64_t generation = 0;
  Duration took = Duration::zero();  ///< From the request to stop to the end.
  ExitRecord exit = {};              ///< Of the last attempt, where there was one.
};

/// The path of one that may still live; null: none does.
[[nodiscard]] const std::string* orphan_in(const std::vector<ChildShutdownStatus>& children);

/// One thing that was looked at after the children had been dealt with.
struct ReconcileCheck {
  std::string what = {};  ///< "actors", "threads", "process groups", "descendants"...
  std::uint64_t checked = 0;
  std::vector<std::string> found = {};  ///< What should not be there, each named.
  std::string note = {};                ///< What was done about it.
};

/// What the world looked like at the end: not our books, the world.
struct ShutdownReconcileReport {
  std::vector<ReconcileCheck> checks = {};
  [[nodiscard]] bool clean() const;
};

/// The whole shutdown of a tree.
struct ShutdownReport {
  std::string cause = {};
  Duration took = Duration::zero();
  std::vector<ChildShutdownStatus> children = {};
  ShutdownReconcileReport reconcile = {};

  [[nodiscard]] std::size_t count(ChildShutdownOutcome outcome) const;
};

[[nodiscard]] const char* to_string(ChildShutdownOutcome x);

}  // namespace espalier::supervisor
