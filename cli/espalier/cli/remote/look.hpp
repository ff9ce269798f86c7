#pragma once

#include "espalier/cli/remote/terminal.hpp"

namespace espalier::cli {

/// The verbs that only look. Each asks a running target once and answers with the exit status of
/// the program.
[[nodiscard]] int status_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int tree_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int list_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int show_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int why_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int diagnose_verb(const RemoteOptions& options, const Terminal& terminal);
/// Writes one file for whoever is asked for help.
[[nodiscard]] int support_bundle_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int snapshot_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int health_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int pipelines_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int ping_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int targets_verb(const RemoteOptions& options, const Terminal& terminal);
[[nodiscard]] int remote_version_verb(const RemoteOptions& options, const Terminal& terminal);
/// For completion scripts: the paths of the tree, one a line; nothing where none can be had.
[[nodiscard]] int paths_verb(const RemoteOptions& options, const Terminal& terminal);

}  // namespace espalier::cli
