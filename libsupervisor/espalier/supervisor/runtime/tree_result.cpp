#include "espalier/supervisor/runtime/tree_result.hpp"

namespace espalier::supervisor {

const char* to_string(HealthReport::State x) {
  switch (x) {
    case HealthReport::State::starting:
      return "starting";
    case HealthReport::State::up:
      return "up";
    case HealthReport::State::degraded:
      return "degraded";
    case HealthReport::State::stopping:
      return "stopping";
    case HealthReport::State::stopped:
      return "stopped";
    case HealthReport::State::failed:
      return "failed";
  }
  return "";
}

}  // namespace espalier::supervisor
