#include "espalier/metrics/label.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace espalier::metrics {

namespace {

constexpr std::size_t hash_digits = 8;

bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7f;
}

// Length of the UTF-8 sequence at the beginning of `text`; 0: there is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U) return 0;
  }
  if (length < 3) return length;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool too_large = lead == 0xf4 && second >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

// FNV-1a: the same in every run, so that a series keeps its name over restarts.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string clean(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const auto length = sequence_length(value);
    if (length == 0) {
      out += '?';
    } else if (length == 1 && !is_plain(static_cast<unsigned char>(value[0]))) {
      out += ' ';
    } else {
      out += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

bool is_bounded_label(std::string_view value) {
  if (value.size() > longest_label) return false;
  for (const char c : value)
    if (!is_plain(static_cast<unsigned char>(c))) return false;
  return true;
}

std::string bounded_label(std::string_view value) {
  if (is_bounded_label(value)) return std::string{value};
  auto text = clean(value);
  if (text.size() <= longest_label) return text;
  auto keep = longest_label - hash_digits - 1;
  while ((static_cast<unsigned char>(text[keep]) & 0xc0U) == 0x80U)
    --keep;
  std::array<char, hash_digits + 2> hash = {};
  std::snprintf(hash.data(), hash.size(), "~%08x", hash_of(value));
  text.resize(keep);
  return text + hash.data();
}

}  // namespace espalier::metrics
