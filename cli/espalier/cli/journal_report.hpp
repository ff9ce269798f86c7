#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"

#include <string>

namespace espalier::cli {

/// Reads all of it and tells what is in it; the exit status.
[[nodiscard]] int count_journal(supervisor::JournalReader reader, const std::string& folder,
                                bool as_json, const Terminal& terminal);

}  // namespace espalier::cli
