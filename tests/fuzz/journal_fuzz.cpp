// F6: whatever stands in a file of a journal, no line that is right is lost, the bytes to go on
// after are found, a second look gives the same, and a reader that comes while it grows sees the
// same lines.
#include "espalier/supervisor/observe/internal/journal_folder.hpp"
#include "espalier/supervisor/observe/journal_line.hpp"
#include "fuzz/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::supervisor {
namespace {

using internal::examine_segment;
using internal::RawLines;

/// A file, and what has to be found in it.
struct File {
  std::string bytes = {};
  std::vector<std::uint64_t> positions = {};  ///< Of the whole lines; 0: of one that is not right.
  std::uint64_t valid = 0;
  std::uint64_t next = 1;
  bool is_damaged = false;
};

// Pieces of the input that begin with + become right lines, the others stand as they are: random
// bytes alone would never have a right checksum.
File file_of(std::string_view input) {
  File file;
  bool damage = false;
  while (!input.empty()) {
    const auto end = input.find('\n');
    const auto piece = input.substr(0, end);
    const bool whole = end != std::string_view::npos;
    input.remove_prefix(whole ? end + 1 : input.size());
    const auto begin = file.bytes.size();
    if (piece.starts_with('+')) {
      file.bytes += "{" + std::string{piece.substr(1)} + "}";
      seal_journal_line(file.bytes, begin, file.next);
    } else {
      file.bytes += piece;
    }
    if (!whole) break;
    const auto position =
        check_journal_line(std::string_view{file.bytes}.substr(begin)).value_or(0);
    require(position != 0 || !piece.starts_with('+'), "what was sealed is right");
    file.bytes += '\n';
    file.positions.push_back(position);
    damage = damage || position == 0;
    if (position == 0) continue;
    file.next = std::max(file.next, position + 1);
    file.valid = file.bytes.size();
    file.is_damaged = damage;
  }
  return file;
}

void run(std::string_view input) {
  if (input.empty()) return;
  auto state = static_cast<std::uint32_t>(static_cast<unsigned char>(input[0]));
  input.remove_prefix(1);
  const auto file = file_of(input);

  std::istringstream once{file.bytes};
  const auto found = examine_segment(once, 1);
  require(found.valid == file.valid, "all up to the last right line is kept");
  require(found.torn == file.bytes.size() - file.valid, "and nothing after it");
  require(found.next == file.next, "it goes on with the next position");
  require(found.is_damaged == file.is_damaged, "damage before the end is seen");
  std::istringstream again{file.bytes.substr(0, found.valid)};
  const auto second = examine_segment(again, 1);
  require(second.valid == found.valid && second.torn == 0 && second.next == found.next &&
              second.is_damaged == found.is_damaged,
          "a second look gives the same");

  std::stringstream growing;
  RawLines lines{growing};
  std::vector<std::uint64_t> seen;
  for (std::size_t at = 0; at < file.bytes.size();) {
    state = state * 1664525U + 1013904223U;
    const auto count = std::size_t{1} + (state >> 16U) % 997U;
    growing << file.bytes.substr(at, count);
    at += count;
    // A line that is not whole yet is told and read anew.
    for (auto line = lines.next(); line && line->ended; line = lines.next()) {
      seen.push_back(check_journal_line(line->text).value_or(0));
      require(line->number == seen.size(), "lines are counted from 1");
    }
  }
  require(seen == file.positions, "a reader that comes while it grows sees the same lines");
}

}  // namespace
}  // namespace espalier::supervisor

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espalier::supervisor::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
