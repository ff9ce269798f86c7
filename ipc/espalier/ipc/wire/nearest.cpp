#include "espalier/ipc/wire/nearest.hpp"

#include "espalier/supervisor/observe/json_text.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace espalier::ipc {
namespace {

// Letters to insert, remove or replace.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t longest = 64;
  if (word.empty() || word.size() > longest) return {};
  std::string_view best;
  std::size_t fewest = longest;
  for (const auto candidate : known) {
    const auto distance = edits(word, candidate);
    if (distance >= fewest || distance > std::max<std::size_t>(candidate.size() / 3, 1)) continue;
    best = candidate;
    fewest = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const auto best = nearest(word, known);
  return best.empty() ? std::string{} : " (did you mean " + std::string(best) + "?)";
}

std::string list_of(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t enough = 64;
  std::string out;
  if (text.size() <= enough) {
    supervisor::json::append_json_string(out, text);
    return out;
  }
  // Not in the middle of a code point.
  auto end = enough;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u)
    --end;
  supervisor::json::append_json_string(out, text.substr(0, end));
  return out + "...";
}

}  // namespace espalier::ipc
