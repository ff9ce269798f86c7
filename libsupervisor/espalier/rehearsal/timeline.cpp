// The timeline of a Report, as text and as SVG.
#include "espalier/rehearsal/render.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace espalier::rehearsal {

namespace sv = supervisor;

namespace {

/// Several slices seen as one.
struct Cell {
  sv::Duration down = {};
  sv::Duration length = {};
  bool quarantined = false;
  bool wanted = false;
};

Cell cell_of(const ChildRecord& child, std::size_t begin, std::size_t end, sv::Duration slice) {
  Cell cell;
  for (auto i = begin; i < end; ++i) {
    cell.down += child.slices[i].down;
    cell.quarantined = cell.quarantined || child.slices[i].quarantined;
    cell.wanted = cell.wanted || child.slices[i].wanted;
    cell.length += slice;
  }
  return cell;
}

char mark_of(const Cell& cell) {
  if (cell.quarantined) return 'Q';
  if (cell.down > cell.length / 2) return '#';
  if (cell.down > cell.length / 10) return 'x';
  if (cell.down > sv::Duration{}) return '+';
  return cell.wanted ? '.' : ' ';
}

const char* colour_of(const Cell& cell) {
  switch (mark_of(cell)) {
    case 'Q':
      return "#7b3fa0";
    case '#':
      return "#b3261e";
    case 'x':
      return "#e36f1e";
    case '+':
      return "#e9b93c";
    case '.':
      return "#3d8b53";
    default:
      return "#e4e4e4";
  }
}

sv::Duration slice_length(const Report& report, const ChildRecord& child) {
  return report.length /
         static_cast<sv::Duration::rep>(std::max<std::size_t>(child.slices.size(), 1));
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

constexpr double left = 180;
constexpr double line_height = 22;
constexpr double column = 2;
constexpr double top = 48;

std::string svg_text(double x, double y, const std::string& text, const std::string& more = {}) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\"" + more + ">" + escaped(text) +
         "</text>\n";
}

/// One row; neighbours of the same colour are one rectangle.
std::string svg_row(const Report& report, const ChildRecord& child, double y) {
  std::string out = svg_text(left - 8, y + 14, child.path, " text-anchor=\"end\"");
  const auto slice = slice_length(report, child);
  for (std::size_t begin = 0; begin < child.slices.size();) {
    const auto* colour = colour_of(cell_of(child, begin, begin + 1, slice));
    auto end = begin + 1;
    while (end < child.slices.size() && colour_of(cell_of(child, end, end + 1, slice)) == colour)
      ++end;
    const auto length = end - begin;
    out += "<rect x=\"" + number(left + column * static_cast<double>(begin)) + "\" y=\"" +
           number(y) + "\" width=\"" + number(column * static_cast<double>(length)) +
           "\" height=\"16\" fill=\"" + colour + "\"><title>" + escaped(child.path) + ", " +
           moment(static_cast<sv::Duration::rep>(begin) * slice) + " to " +
           moment(static_cast<sv::Duration::rep>(end) * slice) + ": down " +
           number(std::chrono::duration<double>(cell_of(child, begin, end, slice).down).count()) +
           " s</title></rect>\n";
    begin = end;
  }
  return out;
}

std::string svg_axis(const Report& report, double width, double y) {
  constexpr int marks = 6;
  std::string out;
  for (int i = 0; i <= marks; ++i) {
    const auto x = left + width * i / marks;
    const auto at = report.length / marks * i;
    out += "<line x1=\"" + number(x) + "\" x2=\"" + number(x) + "\" y1=\"" + number(top - 6) +
           "\" y2=\"" + number(y) + "\" stroke=\"#bbb\" stroke-width=\"0.5\"/>\n" +
           svg_text(x, y + 16, moment(at), " text-anchor=\"middle\" fill=\"#555\"");
  }
  return out;
}

}  // namespace

std::string timeline_text(const Report& report, std::size_t width) {
  std::size_t names = 0;
  for (const auto& child : report.children)
    names = std::max(names, child.path.size());
  std::string text;
  std::size_t columns = 0;
  for (const auto& child : report.children) {
    const auto slices = child.slices.size();
    columns = std::clamp<std::size_t>(width > names + 14 ? width - names - 4 : 10, 10,
                                      std::max<std::size_t>(slices, 10));
    text += "  " + child.path + std::string(names - child.path.size(), ' ') + "  ";
    for (std::size_t i = 0; i < columns; ++i) {
      const auto begin = i * slices / columns;
      const auto end = std::max(begin + 1, (i + 1) * slices / columns);
      text += mark_of(cell_of(child, begin, std::min(end, slices), slice_length(report, child)));
    }
    text += '\n';
  }
  const auto end = moment(report.length);
  const auto gap = columns > end.size() + 1 ? columns - end.size() - 1 : 1;
  return text + std::string(names + 4, ' ') + '0' + std::string(gap, ' ') + end + '\n';
}

std::string timeline_svg(const Report& report, const std::string& title) {
  const auto slices = report.children.empty() ? 0 : report.children.front().slices.size();
  const auto width = column * static_cast<double>(slices);
  const auto bottom = top + line_height * static_cast<double>(report.children.size());
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
                    number(left + width + 60) + "\" height=\"" + number(bottom + 30) +
                    "\" font-family=\"sans-serif\" font-size=\"11\">\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
                    svg_text(8, 20, title, " font-size=\"14\"") +
                    svg_text(8, 36,
                             "green served, yellow, orange, red down for a little, more, most of "
                             "the time, purple quarantined, grey not wanted",
                             " fill=\"#555\"");
  out += svg_axis(report, width, bottom);
  double y = top;
  for (const auto& child : report.children) {
    out += svg_row(report, child, y);
    y += line_height;
  }
  return out + "</svg>\n";
}

}  // namespace espalier::rehearsal
