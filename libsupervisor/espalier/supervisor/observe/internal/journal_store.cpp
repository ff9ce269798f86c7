#include "espalier/supervisor/observe/internal/journal_store.hpp"

#include "espalier/supervisor/observe/journal_line.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace espalier::supervisor::internal {
namespace {

constexpr std::size_t write_size = std::size_t{256} * 1024;  // Bytes collected for one write.

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string why(int error) {
  return std::generic_category().message(error);
}

}  // namespace

JournalStore::JournalStore(JournalSpec spec, std::shared_ptr<JournalDisk> disk)
    : spec_(std::move(spec)), disk_(std::move(disk)) {}

JournalStore::~JournalStore() {
  if (file_ && spec_.sync != JournalSync::never) static_cast<void>(sync());
  close();
}

expected<std::string, std::string> JournalStore::open() {
  close();
  std::string notice;
  if (!enter()) return unexpected<std::string>{problem_};
  const auto segments = disk_->list();
  if (!segments) {
    static_cast<void>(failed("read the folder", segments.error()));
    return unexpected<std::string>{problem_};
  }
  const bool open = segments->empty() ? begin_segment() : go_on_with(segments->back(), notice);
  if (!open) return unexpected<std::string>{problem_};
  tidy(std::time(nullptr));
  return notice;
}

bool JournalStore::enter() {
  const int error = disk_->enter();
  if (error == 0) return true;
  static_cast<void>(failed("open " + spec_.folder + "/lock", error));
  if (error == EWOULDBLOCK) {
    problem_ = "another program writes the journal in \"" + spec_.folder +
               "\"; give each tree a folder of its own in observability.journal.path";
  }
  return false;
}

bool JournalStore::go_on_with(const JournalSegment& last, std::string& notice) {
  const auto input = disk_->read(last.path);
  if (!input) return failed("read " + last.path, input.error());
  const auto state = examine_segment(**input, last.first);
  if (!state.is_whole) return failed("read " + last.path, EIO);
  next_ = std::max(next_, state.next);
  auto file = disk_->open(last.path, JournalDisk::Open::existing);
  if (!file) return failed("open " + last.path, file.error());
  if (state.torn != 0) {
    if (const int error = (*file)->cut(state.valid); error != 0) {
      return failed("cut off the torn end of " + last.path, error);
    }
    notice = "the last " + std::to_string(state.torn) + " bytes of " + last.path +
             " were no whole line; they were cut off";
  }
  // What another writer, or this one before it failed, has not synced.
  const bool is_trusted = last.path != distrusted_;
  if (spec_.sync != JournalSync::never && is_trusted) {
    if (const int error = (*file)->sync(); error != 0) return failed("sync " + last.path, error);
  }
  if (state.is_damaged) {
    notice += (notice.empty() ? "" : "; ") + last.path +
              " is damaged before its end; it stays as it is, and `espalier journal verify " +
              spec_.folder + "` tells where";
  }
  const bool full = state.valid >= segment_limit();
  if (state.is_damaged || full || !is_trusted) return begin_segment();
  return use(std::move(*file), last.path, state.valid);
}

bool JournalStore::begin_segment() {
  const auto path = segment_path(spec_.folder, next_);
  auto file = disk_->open(path, JournalDisk::Open::create);
  if (!file) return failed("create " + path, file.error());
  return use(std::move(*file), path, 0);
}

// Also where the file was there: who made it may have come to its end before its name was safe.
bool JournalStore::use(std::unique_ptr<JournalDisk::File> file, const std::string& path,
                       std::uint64_t size) {
  if (spec_.sync != JournalSync::never) {
    if (const int error = disk_->sync_folder(); error != 0) return failed("sync the folder", error);
  }
  file_ = std::move(file);
  path_ = path;
  size_ = size;
  began_ = std::time(nullptr);
  return true;
}

bool JournalStore::failed(const std::string& what, int error) {
  problem_ =
      "cannot write the journal in \"" + spec_.folder + "\": cannot " + what + ": " + why(error);
  close();
  return false;
}

bool JournalStore::is_open() const {
  return file_ && file_->has_name();
}

void JournalStore::close() {
  file_.reset();
  disk_->leave();
}

std::size_t JournalStore::segment_limit() const {
  return std::min(spec_.segment_bytes, spec_.max_bytes / 4);
}

void JournalStore::end_line(const Gap& if_lost) {
  seal_journal_line(text_, line_begin_, next_++);
  text_ += '\n';
  line_begin_ = text_.size();
  lines_.push_back({text_.size(), if_lost});
}

bool JournalStore::wants_write() const {
  return text_.size() >= write_size || size_ + text_.size() >= segment_limit();
}

Gap JournalStore::write() {
  Gap lost;
  const auto done = file_ ? file_->append(text_) : JournalDisk::Written{};
  for (const auto& line : lines_) {
    if (line.end <= done.bytes) continue;
    lost.add(line.if_lost);
    --next_;
  }
  const bool whole = done.bytes == text_.size();
  size_ += done.bytes;
  text_.clear();
  lines_.clear();
  line_begin_ = 0;
  if (!whole && file_) {
    if (done.error == EFBIG) distrusted_ = path_;  // Another file may still grow.
    static_cast<void>(failed("write to " + file_name(path_), done.error));
  }
  const bool full = file_ && size_ >= segment_limit();
  if (full && end_segment() && begin_segment()) tidy(std::time(nullptr));
  return lost;
}

bool JournalStore::end_segment() {
  return spec_.sync == JournalSync::never || sync();
}

bool JournalStore::sync() {
  if (!file_) return false;
  const int error = file_->sync();
  if (error == 0) return true;
  distrusted_ = path_;
  return failed("sync " + file_name(path_), error);
}

// The oldest first: what is left when this is cut short has no hole in it. A file that cannot be
// removed stays over and above the limits, so that no younger one has to go in its place.
void JournalStore::tidy(std::time_t now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(spec_.max_age).count();
  const bool ages = spec_.max_age > Duration::zero();
  const bool quiet = ages && file_ && size_ > 0 && now - began_ > age;
  if (quiet && !(end_segment() && begin_segment())) return;
  auto segments = disk_->list();
  if (!segments || !file_) return;
  untidy_.clear();
  std::erase_if(*segments, [&](const auto& segment) { return segment.path == path_; });
  std::uint64_t bytes = segment_limit();  // What the file may grow to.
  std::uint64_t files = 1 + segments->size();
  for (const auto& segment : *segments)
    bytes += segment.bytes;
  for (const auto& segment : *segments) {
    const bool too_much = bytes > spec_.max_bytes || (spec_.keep != 0 && files > spec_.keep);
    const bool too_old = ages && now - segment.written > age;
    if (!too_much && !too_old) continue;
    if (const int error = disk_->remove(segment.path); error != 0) {
      untidy_ = "cannot remove " + segment.path + ": " + why(error) +
                "; remove it by hand, the journal is larger by it than it should be";
    }
    bytes -= segment.bytes;
    --files;
  }
}

}  // namespace espalier::supervisor::internal
