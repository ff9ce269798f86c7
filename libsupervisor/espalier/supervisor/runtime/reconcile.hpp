#pragma once

#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"

namespace espalier::supervisor {

/// Looks for what is left of a tree whose root has ended, and ends what can be ended. Waits a
/// moment for what is just ending.
[[nodiscard]] ShutdownReconcileReport reconcile(TreeServices& services);

}  // namespace espalier::supervisor
