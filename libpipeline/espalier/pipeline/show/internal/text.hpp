#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::pipeline::internal {

/// Text of strangers for a terminal: valid UTF-8 without control characters, on one line.
[[nodiscard]] std::string printable(std::string_view text);
/// Columns that printable text takes.
[[nodiscard]] std::size_t cells(std::string_view text);
/// At most `width` columns; what had to be cut ends in "..".
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);
/// Exactly `width` columns.
[[nodiscard]] std::string left(std::string_view text, std::size_t width);
[[nodiscard]] std::string right(std::string_view text, std::size_t width);

/// "0.3 s", "12 s", "2 min 05 s", "3 h 07 min".
[[nodiscard]] std::string time_text(Duration time);
/// For averages: "850 ns", "12.5 us", "3.0 ms", "1.2 s".
[[nodiscard]] std::string short_time(Duration time);
/// "4.5/s", "1200/s".
[[nodiscard]] std::string rate_text(double per_second);
/// With so many digits after the point, whatever the locale.
[[nodiscard]] std::string decimal(double number, int digits);

/// A heading and rows. Columns are as wide as what is in them, the first and the last at most what
/// is left; numbers stand right.
class Table {
 public:
  struct Column {
    std::string title = {};
    bool number = true;
    std::size_t most = 24;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// The heading first; every line in at most `width` columns, without blanks at its end.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace espalier::pipeline::internal
