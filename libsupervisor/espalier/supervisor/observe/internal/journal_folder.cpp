#include "espalier/supervisor/observe/internal/journal_folder.hpp"

#include "espalier/supervisor/observe/journal_line.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>

namespace espalier::supervisor::internal {
namespace {

constexpr std::string_view suffix = ".ndjson";
constexpr std::size_t chunk = std::size_t{64} * 1024;
constexpr std::size_t longest_line = std::size_t{16} << 20U;  // Reports of large trees are long.

std::uint64_t position_of_name(std::string_view name) {
  if (!name.ends_with(suffix)) return 0;
  name.remove_suffix(suffix.size());
  std::uint64_t position = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), position);
  return parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size() ? position : 0;
}

}  // namespace

std::string segment_path(const std::string& folder, std::uint64_t first) {
  char name[32] = {};
  std::snprintf(name, sizeof name, "/%012llu", static_cast<unsigned long long>(first));
  return folder + name + std::string{suffix};
}

expected<std::vector<JournalSegment>, int> list_segments(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(folder.c_str()), &::closedir};
  if (!open) return unexpected<int>{errno};
  std::vector<JournalSegment> segments;
  while (const dirent* const entry = ::readdir(open.get())) {
    const auto first = position_of_name(entry->d_name);
    const auto path = folder + "/" + entry->d_name;
    struct stat info = {};
    const bool is_one = first != 0 && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
    if (!is_one) continue;
    segments.push_back({first, path, static_cast<std::uint64_t>(info.st_size), info.st_mtime});
  }
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return segments;
}

bool RawLines::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const auto before = buffer_.size();
  buffer_.resize(before + chunk);
  input_.read(buffer_.data() + before, static_cast<std::streamsize>(chunk));
  buffer_.resize(before + static_cast<std::size_t>(input_.gcount()));
  unreadable_ = input_.bad();
  return buffer_.size() > before;
}

std::optional<RawLines::Line> RawLines::next() {
  std::uint64_t dropped = 0;  // Of a line that is longer than any event.
  auto newline = buffer_.find('\n', begin_);
  while (newline == std::string::npos) {
    if (buffer_.size() - begin_ > longest_line) {
      dropped += buffer_.size() - begin_;
      begin_ = buffer_.size();
    }
    const auto searched = buffer_.size() - begin_;
    if (!fill()) break;
    newline = buffer_.find('\n', searched);
  }
  Line line;
  line.ended = newline != std::string::npos;
  const auto size = (line.ended ? newline : buffer_.size()) - begin_;
  line.text = buffer_.substr(begin_, size);
  line.number = number_ + 1;
  line.end = offset_ + dropped + size + (line.ended ? 1 : 0);
  if (line.ended) {
    begin_ = newline + 1;
    offset_ = line.end;
    ++number_;
    return line;
  }
  const bool nothing = line.end == offset_;
  buffer_.clear();
  begin_ = 0;
  input_.clear();
  input_.seekg(static_cast<std::streamoff>(offset_));
  if (nothing) return std::nullopt;
  return line;
}

SegmentState examine_segment(std::istream& input, std::uint64_t first) {
  SegmentState state;
  state.next = first;
  RawLines lines{input};
  std::uint64_t end = 0;
  bool damage = false;
  while (const auto line = lines.next()) {
    end = line->end;
    if (!line->ended) break;
    const auto position = check_journal_line(line->text);
    if (!position) {
      damage = true;
      continue;
    }
    state.valid = line->end;
    state.next = std::max(state.next, *position + 1);
    state.is_damaged = damage;
  }
  state.torn = end - state.valid;
  state.is_whole = !lines.is_unreadable();
  return state;
}

}  // namespace espalier::supervisor::internal
