#include "espalier/supervisor/observe/journal_reader.hpp"

#include "espalier/supervisor/observe/internal/journal_disk.hpp"
#include "espalier/supervisor/observe/internal/journal_folder.hpp"
#include "espalier/supervisor/observe/journal_line.hpp"

#include <algorithm>
#include <istream>
#include <system_error>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

using internal::JournalDisk;
using internal::JournalSegment;
using internal::RawLines;

std::string first_time(const JournalDisk& disk, const JournalSegment& segment) {
  const auto input = disk.read(segment.path);
  if (!input) return {};
  RawLines lines{**input};
  while (const auto line = lines.next()) {
    if (!line->ended) break;
    if (check_journal_line(line->text)) return std::string{time_of_journal_line(line->text)};
  }
  return {};
}

}  // namespace

class JournalReader::Impl {
 public:
  Impl(std::shared_ptr<const JournalDisk> disk, JournalStart start)
      : disk_(std::move(disk)), start_(std::move(start)) {}

  std::optional<JournalItem> next() {
    while (!held_) {
      if (!file_ && !go_on()) return std::nullopt;
      const auto line = file_->lines.next();
      if (line && line->ended) {
        bytes_ += line->text.size() + 1;
        held_ = judge(*line);
        continue;
      }
      unfinished_ = line ? line->text.size() : 0;
      if (file_->lines.is_unreadable()) {
        held_ = damage(line.value_or(RawLines::Line{}), "the rest of the file cannot be read");
        order_.lose_track();
        file_.reset();
      } else if (!file_->is_closed) {
        // A file gets no more once there is a later one; what came before that is read first.
        file_->is_closed = !later_than(last_file_).empty();
        if (!file_->is_closed) return std::nullopt;
      } else {
        if (line) held_ = damage(*line, "it is cut off");
        if (line) order_.lose_track();
        unfinished_ = 0;
        file_.reset();
      }
    }
    return std::exchange(held_, std::exchange(after_, std::nullopt));
  }

  std::uint64_t unfinished() const { return unfinished_; }
  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct File {
    File(JournalSegment which, std::unique_ptr<std::istream> from)
        : segment(std::move(which)), input(std::move(from)) {}
    JournalSegment segment;
    std::unique_ptr<std::istream> input;
    RawLines lines{*input};
    bool is_closed = false;  ///< A later one has been seen.
  };

  std::vector<JournalSegment> later_than(std::uint64_t first) const {
    auto segments = disk_->list().value_or(std::vector<JournalSegment>{});
    std::erase_if(segments, [&](const auto& segment) { return segment.first <= first; });
    return segments;
  }

  bool go_on() {
    const auto segments = later_than(last_file_);
    if (segments.empty()) return false;
    auto chosen = segments.begin();
    if (last_file_ == 0) {
      while (chosen + 1 != segments.end() && is_before_start(*(chosen + 1)))
        ++chosen;
    }
    last_file_ = chosen->first;
    auto input = disk_->read(chosen->path);
    if (!input) return go_on();  // Removed for its age just now; what it had is told as missing.
    file_ = std::make_unique<File>(*chosen, std::move(*input));
    ++files_;
    return true;
  }

  // Whether all before this file is before the start as well.
  bool is_before_start(const JournalSegment& segment) const {
    if (start_.position != 0) return segment.first <= start_.position;
    if (start_.at.empty()) return false;
    const auto at = first_time(*disk_, segment);
    return !at.empty() && at < start_.at;
  }

  std::optional<JournalItem> judge(const RawLines::Line& line) {
    const auto finding = order_.add(line.text);
    if (finding.position == 0) return damage(line, finding.problem);
    const auto from = std::exchange(started_, true) ? 0 : start_.position;
    const bool late = from != 0 && finding.position > from;
    const auto missing = late ? finding.position - from : finding.missing;
    const bool wanted = finding.position >= start_.position &&
                        (start_.at.empty() || time_of_journal_line(line.text) >= start_.at);
    if (!wanted) return std::nullopt;
    auto event = place(JournalItem::Kind::event, line, finding.position, line.text);
    if (finding.problem.empty() && missing == 0) return event;
    after_ = std::move(event);
    if (!finding.problem.empty()) return damage(line, finding.problem);
    auto gap = place(JournalItem::Kind::missing, line, finding.position - missing,
                     std::to_string(missing) + (missing == 1 ? " line is" : " lines are") +
                         " missing before it");
    gap.last = finding.position - 1;
    return gap;
  }

  JournalItem damage(const RawLines::Line& line, const std::string& problem) const {
    return place(JournalItem::Kind::damage, line, 0, problem);
  }

  JournalItem place(JournalItem::Kind kind, const RawLines::Line& line, std::uint64_t position,
                    std::string text) const {
    return {kind, position, 0, std::move(text), file_->segment.path, line.number};
  }

  std::shared_ptr<const JournalDisk> disk_;
  JournalStart start_;
  std::unique_ptr<File> file_;
  std::uint64_t last_file_ = 0;  ///< First position of the file read last.
  JournalOrder order_;
  bool started_ = false;
  std::optional<JournalItem> held_;   ///< The next one.
  std::optional<JournalItem> after_;  ///< The one after that.
  std::uint64_t unfinished_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

expected<JournalReader, std::string> JournalReader::open(const std::string& folder,
                                                         JournalStart start,
                                                         std::shared_ptr<const JournalDisk> disk) {
  if (!disk) disk = internal::disk_of(folder);
  const auto segments = disk->list();
  if (!segments) {
    return unexpected<std::string>{"cannot read the journal in \"" + folder +
                                   "\": " + std::generic_category().message(segments.error()) +
                                   "; name the folder that observability.journal.path names"};
  }
  if (segments->empty()) {
    return unexpected<std::string>{"there is no journal in \"" + folder +
                                   "\": no file there is named as 000000000001.ndjson is"};
  }
  return JournalReader{std::make_unique<Impl>(std::move(disk), std::move(start))};
}

JournalReader::JournalReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JournalReader::~JournalReader() = default;
JournalReader::JournalReader(JournalReader&&) noexcept = default;
JournalReader& JournalReader::operator=(JournalReader&&) noexcept = default;

std::optional<JournalItem> JournalReader::next() {
  return impl_->next();
}
std::uint64_t JournalReader::unfinished_bytes() const {
  return impl_->unfinished();
}
std::uint64_t JournalReader::files_read() const {
  return impl_->files();
}
std::uint64_t JournalReader::bytes_read() const {
  return impl_->bytes();
}

}  // namespace espalier::supervisor
