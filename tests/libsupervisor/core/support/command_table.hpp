#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor::testing_support {

/// The table of docs/commands.md: state of the child, command -> "answer, phase afterwards".
struct CommandTable {
  std::vector<std::string> commands = {};
  std::vector<std::pair<std::string, std::map<std::string, std::string>>> rows = {};
};

inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in{line.substr(1)};
  for (std::string cell; std::getline(in, cell, '|');) {
    const auto first = cell.find_first_not_of(" `");
    const auto last = cell.find_last_not_of(" `");
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

inline CommandTable read_command_table(const std::string& file) {
  CommandTable table;
  std::ifstream in{file};
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("| child is |")) {
      table.commands = cells_of(line);
      table.commands.erase(table.commands.begin());
      inside = true;
    } else if (inside && line.starts_with("|") && !line.starts_with("|---")) {
      const auto cells = cells_of(line);
      auto& row = table.rows.emplace_back(cells.front(), std::map<std::string, std::string>{});
      for (std::size_t c = 0; c < table.commands.size() && c + 1 < cells.size(); ++c)
        row.second[table.commands[c]] = cells[c + 1];
    } else if (!line.starts_with("|")) {
      inside = false;
    }
  }
  return table;
}

}  // namespace espalier::supervisor::testing_support
