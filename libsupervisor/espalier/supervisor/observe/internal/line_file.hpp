#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::supervisor::internal {

/// Events that are missing from a file: how many, and the sequence numbers they lie between.
struct Gap {
  std::uint64_t dropped = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;

  void add(const Gap& other);
};

/// Lines on their way to a file descriptor, and what is lost when they do not arrive.
///
/// The problem: a write may take half a line and then fail (disk full), and later succeed again.
/// A reader must never see two halves as one line, nor miss lines without being told. So a torn
/// line is ended before the next one, and every line carries the gap that its loss would be.
///
/// Not thread-safe. Owns the descriptor.
class LineFile {
 public:
  explicit LineFile(int fd) : fd_(fd) {}
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// Where to append the next line; `end_line` ends it.
  [[nodiscard]] std::string& buffer() { return text_; }
  void end_line(const Gap& if_lost);
  [[nodiscard]] std::size_t buffered() const { return text_.size(); }

  /// Writes what is buffered. Returns what was lost, nothing if all was written.
  [[nodiscard]] Gap write();

 private:
  struct Line {
    std::size_t end = 0;
    Gap if_lost = {};
  };

  int fd_;
  bool torn_ = false;  ///< The last byte in the file is in the middle of a line.
  std::string text_ = {};
  std::vector<Line> lines_ = {};
};

/// Writes all of it, waiting where the descriptor is non-blocking. Returns the bytes written:
/// fewer than asked for after an error.
[[nodiscard]] std::size_t write_all(int fd, std::string_view bytes);

}  // namespace espalier::supervisor::internal
