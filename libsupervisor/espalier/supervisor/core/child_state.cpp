#include "espalier/supervisor/core/child_state.hpp"

namespace espalier::supervisor {

const char* to_string(ChildPhase x) {
  switch (x) {
    case ChildPhase::idle:
      return "idle";
    case ChildPhase::blocked:
      return "blocked";
    case ChildPhase::gated:
      return "gated";
    case ChildPhase::backing_off:
      return "backing_off";
    case ChildPhase::queued:
      return "queued";
    case ChildPhase::starting:
      return "starting";
    case ChildPhase::running:
      return "running";
    case ChildPhase::suspended:
      return "suspended";
    case ChildPhase::stopping:
      return "stopping";
    case ChildPhase::aborting:
      return "aborting";
    case ChildPhase::stopped:
      return "stopped";
    case ChildPhase::paused:
      return "paused";
    case ChildPhase::held:
      return "held";
    case ChildPhase::quarantined:
      return "quarantined";
    case ChildPhase::abandoned:
      return "abandoned";
    case ChildPhase::removed:
      return "removed";
  }
  return "";
}

const char* to_string(Intent x) {
  switch (x) {
    case Intent::run:
      return "run";
    case Intent::stopped:
      return "stopped";
    case Intent::paused:
      return "paused";
    case Intent::quarantined:
      return "quarantined";
    case Intent::removed:
      return "removed";
  }
  return "";
}

}  // namespace espalier::supervisor
