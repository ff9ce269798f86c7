#pragma once

#include "espalier/cli/remote/terminal.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace espalier::cli {

/// What `espalier audit` was asked for.
struct AuditWords {
  bool verify = false;  ///< Otherwise: show.
  std::string file = {};
};

/// Adds `audit verify FILE` and `audit show [FILE]`.
void add_audit(CLI::App& app, AuditWords& words, RemoteOptions& remote);

/// `verify`: 0 where every record of the file follows from the one before, else 1 with the line.
/// `show`: the records of the file, else the last ones of the running target. Reads line by line.
[[nodiscard]] int audit_command(const AuditWords& words, const RemoteOptions& remote,
                                const Streams& streams);

}  // namespace espalier::cli
