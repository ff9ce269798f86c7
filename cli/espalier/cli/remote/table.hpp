#pragma once

#include "espalier/cli/remote/terminal.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// Text in a table; what a stranger wrote is escaped when it is printed.
struct Cell {
  std::string text = {};
  Ink ink = Ink::plain;
};

/// Rows with aligned columns. Where they are wider than the terminal, the widest columns are cut
/// until they fit; no line is longer than the terminal, and nothing is cut where its width is
/// unlimited. A table without headings is a list of facts.
class Table {
 public:
  struct Column {
    std::string heading = {};
    bool right = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string render(const Terminal& terminal, const std::string& indent = {}) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(std::size_t available) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Words in lines of at most `width` columns; a word that is longer than that is cut. Escaped.
[[nodiscard]] std::vector<std::string> wrap(const std::string& text, std::size_t width);

}  // namespace espalier::cli
