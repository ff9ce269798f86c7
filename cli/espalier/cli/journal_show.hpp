#pragma once

#include "espalier/cli/remote/options.hpp"
#include "espalier/cli/remote/terminal.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace espalier::cli {

/// Which events of a journal to show, beside what RemoteOptions has: paths, types, severity, how
/// many of the last, and whether to go on.
struct JournalQuery {
  std::string correlation = {};
  std::optional<std::uint64_t> run = {};
  std::string until = {};  ///< As the lines have it, cut off anywhere; empty: no end.
  bool reverse = false;    ///< The newest first. Takes as much memory as what is shown.
};

/// The number of a run, from that number, or from 0 for the last run in the journal, -1 for the one
/// before. Cost: it reads the journal, unless it is given the number.
[[nodiscard]] expected<std::uint64_t, std::string> run_of(const std::string& word,
                                                          const std::string& folder);

/// Prints what is wanted; the exit status: 1 where damage was met on the way. What follows goes on
/// until Ctrl-C (130), or until nobody reads it any more (0).
[[nodiscard]] int show_journal(supervisor::JournalReader reader, const JournalQuery& query,
                               const RemoteOptions& options, const Terminal& terminal);

}  // namespace espalier::cli
