#include "espalier/cli/remote/table.hpp"

#include "espalier/cli/text_cells.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace espalier::cli {
namespace {

constexpr std::size_t space_between = 2;
constexpr std::size_t least_column = 4;

std::string pad(const std::string& text, std::size_t width, bool right) {
  const std::size_t used = cell_width(text);
  const std::string blanks(width > used ? width - used : 0, ' ');
  return right ? blanks + text : text + blanks;
}

}  // namespace

// The widest column gives way first, so that short ones stay whole.
std::vector<std::size_t> Table::widths(std::size_t available) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = cell_width(columns_[i].heading);
    for (const auto& row : rows_)
      width = std::max(width, cell_width(escape_controls(row[i].text)));
    out.push_back(width);
  }
  std::size_t total = std::accumulate(out.begin(), out.end(), std::size_t{0});
  const std::size_t gaps = columns_.empty() ? 0 : space_between * (columns_.size() - 1);
  while (total + gaps > available) {
    const auto widest = std::max_element(out.begin(), out.end());
    if (*widest <= least_column) break;
    --*widest;
    --total;
  }
  return out;
}

std::string Table::render(const Terminal& terminal, const std::string& indent) const {
  const std::size_t available = terminal.width == Terminal::unlimited
                                    ? terminal.width
                                    : terminal.width - std::min(terminal.width, cell_width(indent));
  const std::vector<std::size_t> width = widths(available);
  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_of(i);
      const std::string shown = cut(escape_controls(cell.text), width[i]);
      const bool last = i + 1 == columns_.size();
      text += last && !columns_[i].right
                  ? paint(shown, cell.ink, terminal.color)
                  : paint(pad(shown, width[i], columns_[i].right), cell.ink, terminal.color);
      if (!last) text.append(space_between, ' ');
    }
    if (!terminal.color) text.erase(text.find_last_not_of(' ') + 1);
    out += indent + text + "\n";
  };
  const bool has_headings = std::any_of(columns_.begin(), columns_.end(),
                                        [](const Column& x) { return !x.heading.empty(); });
  if (has_headings) line([&](std::size_t i) { return Cell{columns_[i].heading, Ink::strong}; });
  for (const auto& row : rows_)
    line([&](std::size_t i) { return row[i]; });
  return out;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> out;
  std::istringstream words(escape_controls(text));
  std::string line;
  for (std::string word; words >> word;) {
    word = cut(word, width);
    if (!line.empty() && cell_width(line) + 1 + cell_width(word) > width) {
      out.push_back(std::move(line));
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty()) out.push_back(std::move(line));
  return out;
}

}  // namespace espalier::cli
