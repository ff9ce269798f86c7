#include "espalier/supervisor/observe/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace espalier::supervisor::json {
namespace {

struct Decoded {
  char32_t point = 0;
  std::size_t bytes = 0;
  bool valid = false;
};

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The first code point of a text that is not empty. What is not UTF-8 (broken or overlong
// sequences, surrogates, past U+10FFFF) is one invalid byte.
Decoded decode(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return {first, 1, true};
  std::size_t length = 0;
  unsigned least = 0;
  if (first >= 0xC2 && first < 0xE0) length = 2, least = 0x80;
  if (first >= 0xE0 && first < 0xF0) length = 3, least = 0x800;
  if (first >= 0xF0 && first < 0xF5) length = 4, least = 0x10000;
  if (length == 0 || text.size() < length) return {0xFFFD, 1, false};
  unsigned point = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned next = byte_at(text, i);
    if ((next & 0xC0) != 0x80) return {0xFFFD, 1, false};
    point = (point << 6) | (next & 0x3F);
  }
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  if (point < least || surrogate || point > 0x10FFFF) return {0xFFFD, 1, false};
  return {point, length, true};
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

bool changes_direction(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void append_hex(std::string& out, char32_t c, unsigned digits) {
  for (unsigned i = digits; i-- > 0;)
    out += "0123456789abcdef"[(c >> (4 * i)) & 0xF];
}

// The letter that escapes `c` after a backslash; 0: there is none.
char escape_letter(char32_t c) {
  switch (c) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return '\0';
  }
}

bool append_json_escape(std::string& out, char32_t c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += static_cast<char>(c);
    return true;
  }
  if (!is_control(c)) return false;
  out += '\\';
  if (const char letter = escape_letter(c)) {
    out += letter;
  } else {
    out += 'u';
    append_hex(out, c, 4);
  }
  return true;
}

bool append_printable_escape(std::string& out, char32_t c) {
  const bool control = is_control(c);
  if (!control && !changes_direction(c)) return false;
  out += '\\';
  if (const char letter = escape_letter(c)) {
    out += letter;
  } else {
    out += control ? 'x' : 'u';
    append_hex(out, c, control ? 2 : 4);
  }
  return true;
}

// Most text is only this, and is copied in one piece.
std::size_t plain_bytes(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && text[i] >= ' ' && text[i] < 0x7F && text[i] != '"' && text[i] != '\\')
    ++i;
  return i;
}

template <class Escape>
void append_escaped(std::string& out, std::string_view text, Escape escape) {
  while (true) {
    const auto plain = plain_bytes(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto next = decode(text);
    if (!next.valid) {
      out += "\xEF\xBF\xBD";
    } else if (!escape(out, next.point)) {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
}

template <class T>
void append_digits(std::string& out, T n) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, append_json_escape);
  out += '"';
}

// In one piece, for documents consist of keys: to add four is three times as slow.
void append_key(std::string& out, std::string_view name, bool first) {
  const auto before = out.size();
  out.resize(before + name.size() + (first ? 3 : 4));
  char* at = out.data() + before;
  if (!first) *at++ = ',';
  *at++ = '"';
  at = std::copy(name.begin(), name.end(), at);
  *at++ = '"';
  *at = ':';
}

void append_printable(std::string& out, std::string_view text) {
  append_escaped(out, text, append_printable_escape);
}

void append_number(std::string& out, std::uint64_t n) {
  append_digits(out, n);
}
void append_number(std::string& out, std::int64_t n) {
  append_digits(out, n);
}

}  // namespace espalier::supervisor::json
