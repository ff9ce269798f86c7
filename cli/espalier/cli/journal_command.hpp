#pragma once

#include "espalier/cli/remote/terminal.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

namespace espalier::cli {

/// What `espalier journal` was asked for; what other verbs have too stands in RemoteOptions.
struct JournalWords {
  std::string verb = {};   ///< show, verify, stats.
  std::string where = {};  ///< A folder, or a tree file that names one.
  std::string since = {};  ///< RFC 3339 in UTC, or a span back from now.
  std::string until = {};  ///< The same.
  std::uint64_t from = 0;  ///< Position.
  std::string correlation = {};
  std::string run = {};  ///< Its number, or 0 for the last one, -1 for the one before.
  bool reverse = false;
};

/// Adds `journal show`, `journal verify` and `journal stats`.
void add_journal(CLI::App& app, JournalWords& words, RemoteOptions& remote);

/// `show`: the events, 0; 1 where damage was met on the way. `verify`: 0 where every line is as it
/// was written and none is missing in between, else 1 with each place. `stats`: what is in it. None
/// of them changes anything, and all work on a journal that is being written. They read line by
/// line.
[[nodiscard]] int journal_command(const JournalWords& words, const RemoteOptions& remote,
                                  const Streams& streams);

}  // namespace espalier::cli
