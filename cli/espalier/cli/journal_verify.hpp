#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"

#include <string>

namespace espalier::cli {

/// "journal/000000000001.ndjson:17: its checksum is wrong", safe for a terminal.
[[nodiscard]] std::string place_text(const supervisor::JournalItem& item);

/// Reads all of it and tells what is wrong, by file; the exit status: 0 where all holds, else 1.
[[nodiscard]] int verify_journal(supervisor::JournalReader reader, const std::string& folder,
                                 bool as_json, const Terminal& terminal);

}  // namespace espalier::cli
