#pragma once

#include "espalier/ipc/wire/json.hpp"
#include "espalier/supervisor/observe/journal_line.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace espalier::cli {

/// From where to where lines of a journal go: what every report begins with.
struct JournalExtent {
  std::uint64_t lines = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string begins = {};
  std::string ends = {};

  void add(const supervisor::JournalItem& item) {
    const std::string at{supervisor::time_of_journal_line(item.text)};
    if (lines++ == 0) {
      first = item.position;
      begins = at;
    }
    last = item.position;
    ends = at;
  }
  [[nodiscard]] ipc::Json json() const {
    return {{"lines", lines},
            {"first_position", first},
            {"last_position", last},
            {"first_at", begins},
            {"last_at", ends}};
  }
};

}  // namespace espalier::cli
