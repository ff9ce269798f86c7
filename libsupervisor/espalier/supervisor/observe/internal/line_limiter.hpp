#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor::internal {

/// Lets so many lines of a kind pass within a window, and counts the others.
///
/// The window of a kind begins with its first line, and the next one with the first line after its
/// end. What was left out is told once the window is over. Bounded: of kinds beyond `max_kinds` at
/// a time all count as one. Time is an argument. Not thread-safe; constant cost for each line.
class LineLimiter {
 public:
  static constexpr std::size_t max_kinds = 65536;

  struct LeftOut {
    std::string kind = {};  ///< Empty: of more kinds than could be told apart.
    std::uint64_t lines = 0;
    Severity worst = Severity::debug;  ///< Of those lines.
  };

  /// `lines` 0: all pass.
  LineLimiter(std::uint32_t lines, Duration window) : lines_(lines), window_(window) {}

  [[nodiscard]] bool passes(const std::string& kind, Severity severity, TimePoint now);
  /// What was left out in windows that are over by then.
  [[nodiscard]] std::vector<LeftOut> take_ended(TimePoint now);
  /// All lines that did not pass, ever.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  struct Window {
    std::uint32_t passed = 0;
    std::uint64_t left_out = 0;
    Severity worst = Severity::debug;
  };
  struct End {
    TimePoint at = {};
    std::string kind = {};
  };
  void close_first(std::vector<LeftOut>& out);

  std::uint32_t lines_;
  Duration window_;
  std::unordered_map<std::string, Window> windows_ = {};
  std::deque<End> ends_ = {};               ///< In order, for all windows are equally long.
  std::vector<LeftOut> not_yet_told_ = {};  ///< Of windows that ended as a new one had to begin.
  std::uint64_t left_out_ = 0;
};

}  // namespace espalier::supervisor::internal
