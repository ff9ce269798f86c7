#pragma once

#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Who asked for a command and why; neither may be blank.
struct CommandMeta {
  std::string requested_by = {};
  std::string reason = {};
};

enum class CommandKind : std::uint8_t {
  add_child,
  remove_child,
  start_child,
  stop_child,
  restart_child,
  pause_child,
  resume_child,
  quarantine_child,
  reset_child,  ///< Clears counters and back-off.
  set_policy,
  reset_group,  ///< Lets the restarts of a held group go on.
  scale_pool,
  reload,
  shutdown_tree,
};

/// One wish of an operator. `path` is the child it is about; for add_child, reset_group and reload
/// the supervisor, for scale_pool the pool.
struct Command {
  CommandKind kind = CommandKind::restart_child;
  std::string path = {};
  CommandMeta meta = {};
  bool dry_run = false;                             ///< Only say what would be done.
  std::shared_ptr<const ChildSpec> spec = {};       ///< add_child; set_policy: its `policy`.
  std::shared_ptr<const SupervisorSpec> tree = {};  ///< reload
  std::string group = {};                           ///< reset_group
  std::uint32_t size = 0;                           ///< scale_pool
  /// Of a child's command: refused unless this is the child's attempt then (fencing).
  std::optional<std::uint64_t> expected_generation = {};
};

/// What a command did. Comes when it is done: the child runs again, has stopped, is forgotten.
struct CommandOutcome {
  std::string path = {};
  std::string text = {};  ///< One sentence: what was done, or would be.
  bool changed = true;    ///< False: it was so already.
  bool joined = false;    ///< The same had been asked for before; both were answered at once.
  ChildPhase phase = ChildPhase::idle;  ///< Afterwards.
  std::uint64_t generation = 0;         ///< Afterwards.
  std::vector<std::string> plan = {};   ///< Of a dry run or a reload: one step a line.
};

/// Why a command, or a start, was refused or failed.
struct Error {
  enum class Code : std::uint8_t {
    invalid_spec,   ///< Nothing was started.
    start_failed,   ///< A child did not start; what had been started was stopped again.
    stopped_early,  ///< A shutdown came while it was starting.
    blank_meta,
    timed_out,         ///< Not done within the deadline; it goes on.
    not_found,         ///< No node of that path.
    wrong_kind,        ///< The node is there but is not of the kind the command is for.
    wrong_state,       ///< The node cannot do that where it stands; nothing was changed.
    stale_generation,  ///< The child is in another attempt than the one the command was meant for.
    name_taken,
    dependency,  ///< Missing, cyclic, or others depend on it.
    unknown_factory,
    limit_reached,
    superseded,  ///< A later command undid it.
    shutting_down,
    gone,  ///< The supervisor ended before the command was done.
  };
  Code code = Code::invalid_spec;
  std::string message = {};
};

using CommandResult = expected<CommandOutcome, Error>;

/// Why a command that was meant for another attempt of a child is refused; nothing if it was not.
[[nodiscard]] std::optional<Error> stale_generation(const Command& command,
                                                    std::uint64_t generation);

/// Path of the child a command is about, of a new one too; empty: it is about the supervisor at
/// `path`.
[[nodiscard]] std::string child_of(const Command& command);

[[nodiscard]] const char* to_string(CommandKind x);
[[nodiscard]] const char* to_string(Error::Code x);

}  // namespace espalier::supervisor
