#include "espalier/cli/top/top_keys.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace espalier::cli {
namespace {

using Kind = Key::Kind;

constexpr char escape_byte = '\x1b';
constexpr std::size_t longest_sequence = 16;

struct Sequence {
  std::string_view text;  ///< After "ESC [" or "ESC O".
  Kind kind;
};
constexpr std::array sequences = {
    Sequence{"A", Kind::up},        Sequence{"B", Kind::down},  Sequence{"C", Kind::right},
    Sequence{"D", Kind::left},      Sequence{"H", Kind::home},  Sequence{"F", Kind::end},
    Sequence{"Z", Kind::back_tab},  Sequence{"1~", Kind::home}, Sequence{"7~", Kind::home},
    Sequence{"4~", Kind::end},      Sequence{"8~", Kind::end},  Sequence{"5~", Kind::page_up},
    Sequence{"6~", Kind::page_down}};

// How many bytes the front of `bytes` takes; 0: more must come first.
struct Taken {
  std::size_t size = 0;
  std::optional<Key> key = {};
};

Taken take_sequence(std::string_view bytes) {
  if (bytes.size() < 2) return {};
  if (bytes[1] != '[' && bytes[1] != 'O') return {1, Key{Kind::escape, {}}};
  for (std::size_t i = 2; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const bool ends = c >= '@' && c <= '~';
    if (!ends && i < longest_sequence && c >= ' ') continue;
    const std::string_view body = bytes.substr(2, i - 1);
    const auto found = std::find_if(sequences.begin(), sequences.end(),
                                    [&](const Sequence& x) { return x.text == body; });
    if (found == sequences.end()) return {i + 1, {}};
    return {i + 1, Key{found->kind, {}}};
  }
  return {};
}

std::size_t length_of(unsigned char lead) {
  if (lead >= 0xF0) return 4;
  if (lead >= 0xE0) return 3;
  return lead >= 0xC0 ? 2 : 1;
}

Taken take(std::string_view bytes) {
  const char c = bytes.front();
  switch (c) {
    case escape_byte:
      return take_sequence(bytes);
    case '\r':
    case '\n':
      return {1, Key{Kind::enter, {}}};
    case '\t':
      return {1, Key{Kind::tab, {}}};
    case '\x7f':
    case '\b':
      return {1, Key{Kind::backspace, {}}};
    case '\x03':
      return {1, Key{Kind::interrupt, {}}};
    case '\x0c':
      return {1, Key{Kind::redraw, {}}};
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) return {1, {}};
  const std::size_t size = length_of(byte);
  if (size > bytes.size()) return {};
  return {size, Key{Kind::text, std::string(bytes.substr(0, size))}};
}

}  // namespace

std::vector<Key> KeyReader::read(const std::string& bytes) {
  kept_ += bytes;
  std::vector<Key> keys;
  std::size_t at = 0;
  while (at < kept_.size()) {
    Taken taken = take(std::string_view(kept_).substr(at));
    if (taken.size == 0) break;
    at += taken.size;
    if (taken.key) keys.push_back(std::move(*taken.key));
  }
  kept_.erase(0, at);
  return keys;
}

std::vector<Key> KeyReader::flush() {
  std::vector<Key> keys;
  if (kept_ == std::string(1, escape_byte)) keys.push_back(Key{Kind::escape, {}});
  kept_.clear();
  return keys;
}

}  // namespace espalier::cli
