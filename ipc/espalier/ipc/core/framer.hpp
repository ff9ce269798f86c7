#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace espalier::ipc {

/// Cuts a stream of bytes into lines (control C5). However the bytes are cut on their way, the
/// lines are the same; memory stays within `max_line_bytes` and what one `feed` brings.
///
/// A line longer than `max_line_bytes` is no line: once the lines before it are given out, from its
/// first byte too many on, `too_long` is true and nothing more comes, for where the next line
/// begins can no longer be trusted.
///
/// Cost: each byte is copied once and looked at once.
class Framer {
 public:
  explicit Framer(std::size_t max_line_bytes) : max_(max_line_bytes) {}

  /// `bytes` need not outlive the call.
  void feed(std::string_view bytes);
  /// The next line, without its newline, valid until the next call of any member. Empty lines are
  /// skipped.
  [[nodiscard]] std::optional<std::string_view> next();
  [[nodiscard]] bool too_long() const { return too_long_; }
  /// Bytes of a line that has no end yet.
  [[nodiscard]] std::size_t unfinished() const;
  /// Bytes of memory that are held.
  [[nodiscard]] std::size_t held() const { return buffer_.capacity(); }

 private:
  static constexpr std::size_t slack = 4096;  ///< Kept over `max_` while nothing is there.
  void look();
  void make_room(std::size_t bytes);
  void forget();
  std::size_t max_;
  std::string buffer_ = {};
  std::size_t read_ = 0;     ///< Up to here `buffer_` has been given out.
  std::size_t scanned_ = 0;  ///< Up to here it holds no newline after `read_`; or where one is.
  bool has_line_ = false;    ///< `scanned_` is where the next line ends.
  bool too_long_ = false;
};

}  // namespace espalier::ipc
