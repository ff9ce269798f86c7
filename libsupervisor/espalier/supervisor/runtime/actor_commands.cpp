#include "espalier/supervisor/runtime/actor_commands.hpp"

#include <caf/send.hpp>

#include <utility>

namespace espalier::supervisor {

void send_command(const SupervisorHandle& tree, Command command, const caf::actor& reply_to) {
  tree.execute(std::move(command),
               [reply_to](const CommandResult& result) { caf::anon_send(reply_to, result); });
}

}  // namespace espalier::supervisor
