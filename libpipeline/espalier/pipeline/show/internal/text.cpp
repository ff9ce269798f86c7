#include "espalier/pipeline/show/internal/text.hpp"

#include "espalier/supervisor/observe/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace espalier::pipeline::internal {
namespace {

struct Rune {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
};

// The text is valid UTF-8: `printable` has seen to it.
Rune front(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0xC0) return {lead, 1};
  const std::size_t bytes = std::min<std::size_t>(lead < 0xE0   ? 2
                                                  : lead < 0xF0 ? 3
                                                                : 4,
                                                  text.size());
  std::uint32_t value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i)
    value = (value << 6U) | (byte(i) & 0x3FU);
  return {value, bytes};
}

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};
constexpr std::array<Range, 4> without_width = {
    {{0x300, 0x36F}, {0x200B, 0x200F}, {0x2028, 0x2029}, {0xFE00, 0xFE0F}}};
// Chinese, Japanese, Korean, emoji; good enough without the C locale.
constexpr std::array<Range, 8> wide = {{{0x1100, 0x115F},
                                        {0x2E80, 0xA4CF},
                                        {0xAC00, 0xD7A3},
                                        {0xF900, 0xFAFF},
                                        {0xFE30, 0xFE6F},
                                        {0xFF00, 0xFF60},
                                        {0x1F300, 0x1FAFF},
                                        {0x20000, 0x3FFFF}}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, std::uint32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return range.first <= c && c <= range.last; });
}

std::size_t columns_of(std::uint32_t c) {
  if (c < 0x300) return 1;
  if (is_in(without_width, c)) return 0;
  return is_in(wide, c) ? 2 : 1;
}

std::string two_digits(std::int64_t n) {
  return (n < 10 ? "0" : "") + std::to_string(n);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  supervisor::json::append_printable(out, text);
  return out;
}

std::size_t cells(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Rune rune = front(text);
    width += columns_of(rune.value);
    text.remove_prefix(rune.bytes);
  }
  return width;
}

std::string cut(std::string_view text, std::size_t width) {
  if (cells(text) <= width) return std::string(text);
  if (width < 2) return std::string(width, '.');
  std::size_t used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const Rune rune = front(text.substr(end));
    if (used + columns_of(rune.value) > width - 2) break;
    used += columns_of(rune.value);
    end += rune.bytes;
  }
  return std::string(text.substr(0, end)) + "..";
}

std::string left(std::string_view text, std::size_t width) {
  std::string out = cut(text, width);
  return out.append(width - std::min(width, cells(out)), ' ');
}

std::string right(std::string_view text, std::size_t width) {
  const std::string out = cut(text, width);
  return std::string(width - std::min(width, cells(out)), ' ') + out;
}

std::string decimal(double number, int digits) {
  std::array<char, 64> text = {};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number,
                                 std::chars_format::fixed, digits);
  return end.ec == std::errc{} ? std::string(text.data(), end.ptr) : "?";
}

std::string time_text(Duration time) {
  using std::chrono::duration;
  const double exact = duration<double>(time).count();
  if (exact < 9.95) return decimal(std::max(exact, 0.0), 1) + " s";
  const auto all = std::chrono::round<std::chrono::seconds>(time).count();
  if (all < 60) return std::to_string(all) + " s";
  if (all < 3600) return std::to_string(all / 60) + " min " + two_digits(all % 60) + " s";
  return std::to_string(all / 3600) + " h " + two_digits(all / 60 % 60) + " min";
}

std::string short_time(Duration time) {
  const auto ns = static_cast<double>(time.count());
  if (ns < 1e3) return std::to_string(time.count()) + " ns";
  if (ns < 1e6) return decimal(ns / 1e3, 1) + " us";
  if (ns < 1e9) return decimal(ns / 1e6, 1) + " ms";
  return decimal(ns / 1e9, 1) + " s";
}

std::string rate_text(double per_second) {
  return decimal(per_second, per_second < 100 ? 1 : 0) + "/s";
}

std::vector<std::string> Table::lines(std::size_t width) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t most = cells(columns_[i].title);
    for (const auto& row : rows_)
      most = std::max(most, cells(row[i]));
    widths.push_back(std::min(most, std::max(columns_[i].most, cells(columns_[i].title))));
  }
  const auto line_of = [&](const auto& text_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
      line += columns_[i].number ? right(text_of(i), widths[i]) : left(text_of(i), widths[i]);
    }
    line = cut(line, width);
    return line.erase(line.find_last_not_of(' ') + 1);
  };
  std::vector<std::string> lines = {line_of([&](std::size_t i) { return columns_[i].title; })};
  for (const auto& row : rows_)
    lines.push_back(line_of([&](std::size_t i) { return row[i]; }));
  return lines;
}

}  // namespace espalier::pipeline::internal
