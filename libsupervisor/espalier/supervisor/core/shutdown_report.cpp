#include "espalier/supervisor/core/shutdown_report.hpp"

#include <algorithm>

namespace espalier::supervisor {

const std::string* orphan_in(const std::vector<ChildShutdownStatus>& children) {
  const auto found = std::ranges::find(children, ChildShutdownOutcome::abort_failed,
                                       &ChildShutdownStatus::outcome);
  return found == children.end() ? nullptr : &found->path;
}

bool ShutdownReconcileReport::clean() const {
  return std::ranges::all_of(checks, [](const ReconcileCheck& c) { return c.found.empty(); });
}

std::size_t ShutdownReport::count(ChildShutdownOutcome outcome) const {
  return static_cast<std::size_t>(
      std::ranges::count(children, outcome, &ChildShutdownStatus::outcome));
}

const char* to_string(ChildShutdownOutcome x) {
  switch (x) {
    case ChildShutdownOutcome::already_exited:
      return "already_exited";
    case ChildShutdownOutcome::graceful:
      return "graceful";
    case ChildShutdownOutcome::aborted:
      return "aborted";
    case ChildShutdownOutcome::abort_failed:
      return "abort_failed";
    case ChildShutdownOutcome::late_report:
      return "late_report";
  }
  return "unknown";
}

}  // namespace espalier::supervisor
