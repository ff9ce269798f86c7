#include "espalier/supervisor/observe/internal/journal_store.hpp"

#include "espalier/supervisor/observe/journal_line.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace espalier::supervisor::internal {
namespace {

constexpr std::size_t write_size = std::size_t{256} * 1024;  // Bytes collected for one write.
constexpr mode_t file_mode = 0640;
constexpr mode_t folder_mode = 0750;

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

JournalStore::JournalStore(JournalSpec spec) : spec_(std::move(spec)) {}

JournalStore::~JournalStore() {
  if (file_ && spec_.sync != JournalSync::never) static_cast<void>(sync());
}

expected<std::string, std::string> JournalStore::open() {
  close();
  std::string notice;
  if (!take_folder()) return unexpected<std::string>{problem_};
  const auto segments = list_segments(spec_.folder);
  if (!segments) {
    static_cast<void>(failed("read the folder", segments.error()));
    return unexpected<std::string>{problem_};
  }
  const bool open = segments->empty() ? begin_segment() : go_on_with(segments->back(), notice);
  if (!open) return unexpected<std::string>{problem_};
  tidy(std::time(nullptr));
  return notice;
}

bool JournalStore::take_folder() {
  std::error_code ignored;  // What matters is whether the lock can be had.
  std::filesystem::create_directories(std::filesystem::path(spec_.folder).parent_path(), ignored);
  static_cast<void>(::mkdir(spec_.folder.c_str(), folder_mode));
  const auto path = spec_.folder + "/lock";
  lock_ = UniqueFd{
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, file_mode)};
  if (!lock_) return failed("open " + path, errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) return failed("lock " + path, errno);
  static_cast<void>(failed("lock " + path, errno));
  problem_ = "another program writes the journal in \"" + spec_.folder +
             "\"; give each tree a folder of its own in observability.journal.path";
  return false;
}

bool JournalStore::go_on_with(const JournalSegment& last, std::string& notice) {
  SegmentState state;
  {
    std::ifstream input{last.path, std::ios::binary};
    if (!input) return failed("read " + last.path, errno);
    state = examine_segment(input, last.first);
    if (input.bad()) return failed("read " + last.path, EIO);
  }
  next_ = std::max(next_, state.next);
  UniqueFd file{::open(last.path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)};
  if (!file) return failed("open " + last.path, errno);
  if (state.torn != 0) {
    if (::ftruncate(file.get(), static_cast<off_t>(state.valid)) != 0) {
      return failed("cut off the torn end of " + last.path, errno);
    }
    notice = "the last " + std::to_string(state.torn) + " bytes of " + last.path +
             " were no whole line; they were cut off";
  }
  if (state.is_damaged) {
    notice += (notice.empty() ? "" : "; ") + last.path +
              " is damaged before its end; it stays as it is, and `espalier journal verify " +
              spec_.folder + "` tells where";
  }
  const bool full = state.valid >= segment_limit();
  if (state.is_damaged || full || last.path == distrusted_) return begin_segment();
  file_ = std::move(file);
  path_ = last.path;
  size_ = state.valid;
  began_ = std::time(nullptr);
  return true;
}

bool JournalStore::begin_segment() {
  const auto path = segment_path(spec_.folder, next_);
  UniqueFd file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, file_mode)};
  if (!file) return failed("create " + path, errno);
  if (spec_.sync != JournalSync::never) {
    const UniqueFd folder{::open(spec_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) return failed("sync the folder", errno);
  }
  file_ = std::move(file);
  path_ = path;
  size_ = 0;
  began_ = std::time(nullptr);
  return true;
}

bool JournalStore::failed(const std::string& what, int error) {
  problem_ = "cannot write the journal in \"" + spec_.folder + "\": cannot " + what + ": " +
             std::generic_category().message(error);
  close();
  return false;
}

bool JournalStore::is_open() const {
  struct stat info = {};
  return file_ && ::fstat(file_.get(), &info) == 0 && info.st_nlink > 0;
}

void JournalStore::close() {
  file_.reset();
  lock_.reset();
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
  const auto written = file_ ? write_all(file_.get(), text_) : 0;
  const auto error = errno;
  for (const auto& line : lines_) {
    if (line.end <= written) continue;
    lost.add(line.if_lost);
    --next_;
  }
  const bool whole = written == text_.size();
  size_ += written;
  text_.clear();
  lines_.clear();
  line_begin_ = 0;
  if (!whole && file_) {
    if (error == EFBIG) distrusted_ = path_;  // Another file may still grow.
    static_cast<void>(failed("write to " + file_name(path_), error));
  }
  const bool full = file_ && size_ >= segment_limit();
  if (full && (spec_.sync == JournalSync::never || sync()) && begin_segment()) {
    tidy(std::time(nullptr));
  }
  return lost;
}

bool JournalStore::sync() {
  if (!file_) return false;
  if (::fdatasync(file_.get()) == 0) return true;
  distrusted_ = path_;
  return failed("sync " + file_name(path_), errno);
}

void JournalStore::tidy(std::time_t now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(spec_.max_age).count();
  const bool ages = spec_.max_age > Duration::zero();
  if (ages && file_ && size_ > 0 && now - began_ > age && !begin_segment()) return;
  const auto segments = list_segments(spec_.folder);
  if (!segments || !file_) return;
  std::uint64_t bytes = segment_limit();  // What the file may grow to.
  std::uint64_t files = 1;
  for (auto segment = segments->rbegin(); segment != segments->rend(); ++segment) {
    if (segment->path == path_) continue;
    bytes += segment->bytes;
    ++files;
    const bool too_much = bytes > spec_.max_bytes || (spec_.keep != 0 && files > spec_.keep);
    const bool too_old = ages && now - segment->written > age;
    if (too_much || too_old) ::unlink(segment->path.c_str());
  }
}

}  // namespace espalier::supervisor::internal
