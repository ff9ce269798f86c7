#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <optional>
#include <string>

namespace espalier::cli {

/// The verbs that change a running tree. Each says what it did, and answers with the worst exit
/// status of what it asked for. What is destructive asks first, or needs --yes.
[[nodiscard]] int start_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int stop_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int restart_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int pause_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int resume_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int quarantine_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int reset_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int remove_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int scale_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int add_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int apply_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int reload_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int shutdown_verb(const RemoteOptions& options, const Terminal& terminal);

/// A reload of `options.file` as a dry run.
[[nodiscard]] int remote_plan_verb(const RemoteOptions& options, const Terminal& terminal);
/// Whether `plan` means a running tree: one is named, or exactly one is found.
[[nodiscard]] bool has_target(const RemoteOptions& options);

/// "N", "+N", "-N" from `now` instances; the error is a sentence.
[[nodiscard]] expected<std::uint64_t, std::string> pool_size(const std::string& text,
                                                             std::uint64_t now);

/// What came of a command, for people: a sentence, the steps of a plan below it.
[[nodiscard]] std::string render_answer(const std::string& path, bool dry_run,
                                        const ipc::CommandAnswer& answer, const Terminal& terminal);

}  // namespace espalier::cli
