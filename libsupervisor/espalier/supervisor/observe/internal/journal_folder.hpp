#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <cstdint>
#include <ctime>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// A file of a journal. Its name is the position of its first line: "000000000001.ndjson".
struct JournalSegment {
  std::uint64_t first = 0;
  std::string path = {};
  std::uint64_t bytes = 0;
  std::time_t written = 0;  ///< When last.
};

[[nodiscard]] std::string segment_path(const std::string& folder, std::uint64_t first);
/// In order; the errno of a folder that cannot be read. Other files in it are passed over.
[[nodiscard]] expected<std::vector<JournalSegment>, int> list_segments(const std::string& folder);

/// Lines of a file as they stand, damaged or not. Where the end of the file is not the end of a
/// line, that part is told as such and read anew the next time, when there may be more of it.
class RawLines {
 public:
  struct Line {
    std::string text = {};     ///< Cut where it is longer than any event.
    std::uint64_t number = 0;  ///< From 1.
    std::uint64_t end = 0;     ///< The byte after it and its newline.
    bool ended = false;
  };

  explicit RawLines(std::istream& input) : input_(input) {}
  /// The next line; nothing at the end of the file.
  [[nodiscard]] std::optional<Line> next();
  /// The last end was none: the bytes after it are there, and cannot be read.
  [[nodiscard]] bool is_unreadable() const { return unreadable_; }

 private:
  bool fill();

  std::istream& input_;
  std::string buffer_ = {};
  std::size_t begin_ = 0;     ///< Of the next line, in the buffer.
  std::uint64_t offset_ = 0;  ///< The same, in the file.
  std::uint64_t number_ = 0;
  bool unreadable_ = false;
};

/// What is to be kept of the file that a writer wants to go on with.
struct SegmentState {
  std::uint64_t next = 0;   ///< Position of the line to be written next.
  std::uint64_t valid = 0;  ///< Bytes up to the end of the last line that is right.
  std::uint64_t torn = 0;   ///< Bytes after that: no line, or none that can be read.
  bool is_damaged = false;  ///< Before that end stands something that is no right line.
  bool is_whole = true;     ///< All of it could be read; else nothing here is to be acted on.
};

/// Reads all of a file whose first line should have the position `first`. The same bytes give the
/// same answer, and the bytes up to `valid` alone give it too, with nothing torn.
[[nodiscard]] SegmentState examine_segment(std::istream& input, std::uint64_t first);

}  // namespace espalier::supervisor::internal
