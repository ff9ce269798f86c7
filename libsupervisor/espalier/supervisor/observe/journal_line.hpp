#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::supervisor {

/// A line of a journal is an event as a JSON object with two more fields at its end:
/// `"position":N,"crc32":"1a2b3c4d"`. Positions count the lines of a journal from 1, over all its
/// files; the checksum is the CRC-32 that zlib has, of all bytes before its own field.

/// Makes the JSON object that begins at `begin` and ends `out` a line of a journal, without the
/// newline.
void seal_journal_line(std::string& out, std::size_t begin, std::uint64_t position);

/// The position of a line that is as it was written; else what is wrong with it.
[[nodiscard]] expected<std::uint64_t, std::string> check_journal_line(std::string_view line);

/// When the event of a checked line happened: "2025-11-21T12:00:01.123456Z". Such texts compare as
/// the times do. Empty where it says nothing.
[[nodiscard]] std::string_view time_of_journal_line(std::string_view line);

/// The run of the program in which the event of a checked line happened; 0 where it says nothing.
[[nodiscard]] std::uint64_t run_of_journal_line(std::string_view line);

/// Follows lines in the order in which they stand, and knows what is missing between them.
class JournalOrder {
 public:
  struct Finding {
    std::uint64_t position = 0;  ///< 0: the line is damaged.
    std::string problem = {};    ///< Of a damaged line, and of one that stands in a wrong place.
    std::uint64_t missing = 0;   ///< So many positions before this one are not there.
  };
  [[nodiscard]] Finding add(std::string_view line);
  /// A damaged line without its text, or lines that are not there for a known reason.
  void lose_track() { next_ = 0; }

 private:
  std::uint64_t next_ = 0;  ///< 0: any.
};

}  // namespace espalier::supervisor
