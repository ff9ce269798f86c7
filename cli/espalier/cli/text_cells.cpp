#include "espalier/cli/text_cells.hpp"

#include <cstdint>
#include <cstdio>

namespace espalier::cli {
namespace {

/// One character at the front of a text; `valid` is false for a byte that begins none.
struct Rune {
  std::uint32_t value = 0;
  std::size_t size = 1;
  bool valid = false;
};

std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

Rune front(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = sequence_length(byte(0));
  if (size == 0 || size > text.size()) return {byte(0), 1, false};
  if (size == 1) return {byte(0), 1, true};
  std::uint32_t value = byte(0) & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {byte(0), 1, false};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value < 0xE000;
  if (overlong || surrogate || value > 0x10FFFF) return {byte(0), 1, false};
  return {value, size, true};
}

bool is_harmful(std::uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool direction =
      (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return control || direction || c == 0x2028 || c == 0x2029;
}

/// Good enough for Chinese, Japanese, Korean and emoji without the C locale.
std::size_t columns(std::uint32_t c) {
  const bool combining =
      (c >= 0x300 && c < 0x370) || c == 0x200B || c == 0x200D || (c >= 0xFE00 && c < 0xFE10);
  if (combining) return 0;
  const bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) ||
                    (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xF900 && c < 0xFB00) ||
                    (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61) ||
                    (c >= 0x1F300 && c < 0x1FB00) || (c >= 0x20000 && c < 0x40000);
  return wide ? 2 : 1;
}

std::string escape_of(const Rune& rune) {
  char text[16] = {};
  const bool byte = !rune.valid || rune.value < 0x80;
  std::snprintf(text, sizeof text, byte ? "\\x%02x" : "\\u%04x", rune.value);
  return text;
}

}  // namespace

std::string escape_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = front(text);
    if (rune.valid && rune.value == '\t') {
      out += ' ';
    } else if (!rune.valid || is_harmful(rune.value)) {
      out += escape_of(rune);
    } else {
      out += text.substr(0, rune.size);
    }
    text.remove_prefix(rune.size);
  }
  return out;
}

std::size_t cell_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Rune rune = front(text);
    width += columns(rune.value);
    text.remove_prefix(rune.size);
  }
  return width;
}

std::string cut(std::string_view text, std::size_t width) {
  if (cell_width(text) <= width) return std::string(text);
  if (width < 2) return std::string(width, '.');
  std::size_t used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const Rune rune = front(text.substr(end));
    if (used + columns(rune.value) > width - 2) break;
    used += columns(rune.value);
    end += rune.size;
  }
  return std::string(text.substr(0, end)) + "..";
}

std::string fit(std::string_view text, std::size_t width) {
  std::string out = cut(text, width);
  const std::size_t used = cell_width(out);
  if (used < width) out.append(width - used, ' ');
  return out;
}

}  // namespace espalier::cli
