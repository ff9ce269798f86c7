#pragma once

#include "espalier/ipc/core/internal/allow_list.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/ipc/wire/methods.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc::internal {

/// What stands in the parameters of a command, looked at on its own: nothing here asks the target
/// or remembers anything.

/// The kind that a `command.*` method stands for.
[[nodiscard]] supervisor::CommandKind kind_of(const MethodInfo& method);
/// Nothing: it is confirmed, is not dangerous, or is a dry run.
[[nodiscard]] std::optional<WireError> confirmation_problem(const MethodInfo& method,
                                                            const CommandParams& params);
/// What is missing, too long, or not for this command.
[[nodiscard]] std::optional<WireError> params_problem(supervisor::CommandKind kind,
                                                      const CommandParams& params);
/// All that makes it this command and no other, in one spelling; for the ledger.
[[nodiscard]] std::string content_of(const MethodInfo& method, CommandParams params);
/// How the tree refused it, in the words of the wire.
[[nodiscard]] WireError error_of(const supervisor::Error& error);
[[nodiscard]] OutcomeInfo outcome_of(const supervisor::CommandOutcome& outcome);

/// The command for the tree. Texts of children and trees are read by the target, what they would
/// run is checked against the allow list (control C9), and a generation that only we can compare is
/// compared here (fencing); a child's own goes along with the command.
[[nodiscard]] expected<supervisor::Command, WireError> command_of(
    supervisor::CommandKind kind, const CommandParams& params, std::uint32_t uid, Target& target,
    const std::vector<std::string>& allowed);

}  // namespace espalier::ipc::internal
