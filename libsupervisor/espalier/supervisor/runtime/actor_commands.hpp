#pragma once

#include "espalier/supervisor/runtime/supervisor.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

namespace espalier::supervisor {

/// SupervisorHandle::execute for actors: `reply_to` is sent one CommandResult, whatever becomes of
/// the command. Returns at once. The message does not leave the process.
void send_command(const SupervisorHandle& tree, Command command, const caf::actor& reply_to);

}  // namespace espalier::supervisor

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(espalier::supervisor::CommandResult)
