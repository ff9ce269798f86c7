#pragma once

#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::cli {

/// Reads lines from a file, a pipe or a terminal, as they come: a call returns as soon as there is
/// at least one, so that nothing waits for a full buffer.
class ItemLines {
 public:
  static constexpr std::size_t longest = 64U << 20U;

  struct Line {
    std::uint64_t number = 0;  ///< From 1.
    std::string text = {};     ///< Empty when it was too long.
    bool too_long = false;
  };

  /// "-" is standard input.
  [[nodiscard]] static expected<ItemLines, std::string> open(const std::string& path);

  /// The lines that are there, at most `most`, without blank ones; waits for one. Empty: the end,
  /// or `stop` was called, or reading failed (see `problem`).
  [[nodiscard]] std::vector<Line> next(std::size_t most);
  /// From any thread: `next` returns, now and later.
  void stop();
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// Lines handed out so far, blank ones included.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  ItemLines() = default;
  /// False: nothing more will come.
  [[nodiscard]] bool read_more();
  void take_line(std::string text, std::vector<Line>& into);
  void take_lines(std::size_t most, std::vector<Line>& into);

  supervisor::UniqueFd own_ = {};
  int fd_ = 0;
  supervisor::UniqueFd stop_ = {};
  std::string buffer_ = {};
  std::size_t from_ = 0;     ///< Where in the buffer the next line begins,
  std::size_t scanned_ = 0;  ///< and how far it is known to have no end.
  std::uint64_t count_ = 0;
  bool at_end_ = false;
  bool skipping_ = false;
  std::string problem_ = {};
};

}  // namespace espalier::cli
