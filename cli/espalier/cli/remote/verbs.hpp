#pragma once

#include "espalier/cli/remote/terminal.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace espalier::cli {

/// Adds every verb on a running target to the program, with its options.
void add_remote_verbs(CLI::App& app, RemoteOptions& options);
/// --socket, --target, --timeout, --output, --color: what every such verb has.
void add_target_options(CLI::App& verb, RemoteOptions& options);

/// Carries out the verb of that name; nothing if it is none of these.
[[nodiscard]] std::optional<int> run_remote_verb(const std::string& name,
                                                 const RemoteOptions& options,
                                                 const Streams& streams);

}  // namespace espalier::cli
