#pragma once

#include "espalier/supervisor/runtime/command_router.hpp"

namespace espalier::supervisor {

/// Brings the supervisor at `command.path` and all below it to `command.tree`: each that exists now
/// and then is sent the difference of its own level, parents first, and the plans are joined. The
/// new tree must have been checked. Stops at the first level that refuses and says so.
void reload_tree(std::shared_ptr<TreeServices> services, Command command, CommandDesk::Answer done);

}  // namespace espalier::supervisor
