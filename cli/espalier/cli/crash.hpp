#pragma once

#include "espalier/supervisor/core/child_context.hpp"

namespace espalier::cli {

/// `builtin.crash`, see builtins.hpp: ends or wedges the process it runs in.
void run_crash(supervisor::ChildContext& context);

}  // namespace espalier::cli
