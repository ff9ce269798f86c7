#pragma once

#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/journal_spec.hpp"
#include "espalier/supervisor/observe/internal/journal_disk.hpp"
#include "espalier/supervisor/observe/internal/line_file.hpp"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// The files of a journal, for the one that writes them.
///
/// The problem: a write or a sync may fail at any moment, and half a line may stand in the file
/// then. So there is one way back from everything: whatever fails closes the journal, and opening
/// it finds the last line that is right and goes on after it.
///
/// Not thread-safe. One at a time has a folder: it holds a lock in it.
class JournalStore {
 public:
  JournalStore(JournalSpec spec, std::shared_ptr<JournalDisk> disk);
  ~JournalStore();
  JournalStore(const JournalStore&) = delete;
  JournalStore& operator=(const JournalStore&) = delete;

  /// Makes the folder if need be, cuts off what is no whole line, and goes on after it. Answers
  /// with what there is to say of what was found, or with why it cannot. Cost: it reads the last
  /// file.
  [[nodiscard]] expected<std::string, std::string> open();
  /// Open, and nobody removed the file.
  [[nodiscard]] bool is_open() const;
  void close();

  /// Where to append the next event, a JSON object; `end_line` makes it a line of the journal.
  [[nodiscard]] std::string& buffer() { return text_; }
  void end_line(const Gap& if_lost);
  [[nodiscard]] bool wants_write() const;
  /// Writes what is buffered, and begins a new file where this one is full. Returns what was lost;
  /// `problem` says why, and the journal is closed then.
  [[nodiscard]] Gap write();
  /// False: the journal is closed. What was not synced may be lost in a loss of power, and its file
  /// is not trusted with more.
  bool sync();
  /// Removes what is too much or too old, the oldest first.
  void tidy(std::time_t now);
  /// Which file could not be removed the last time, and why; empty: all went.
  [[nodiscard]] const std::string& untidy() const { return untidy_; }
  /// Of the last failure.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Line {
    std::size_t end = 0;
    Gap if_lost = {};
  };

  [[nodiscard]] bool enter();
  [[nodiscard]] bool go_on_with(const JournalSegment& last, std::string& notice);
  [[nodiscard]] bool begin_segment();
  [[nodiscard]] bool end_segment();
  [[nodiscard]] bool use(std::unique_ptr<JournalDisk::File> file, const std::string& path,
                         std::uint64_t size);
  [[nodiscard]] bool failed(const std::string& what, int error);
  [[nodiscard]] std::size_t segment_limit() const;

  JournalSpec spec_;
  std::shared_ptr<JournalDisk> disk_;
  std::unique_ptr<JournalDisk::File> file_ = {};
  std::string path_ = {};        ///< Of the file.
  std::string distrusted_ = {};  ///< A file whose sync failed.
  std::uint64_t size_ = 0;
  std::uint64_t next_ = 1;  ///< Position of the next line.
  std::time_t began_ = 0;
  std::size_t line_begin_ = 0;
  std::string text_ = {};
  std::vector<Line> lines_ = {};
  std::string problem_ = {};
  std::string untidy_ = {};
};

}  // namespace espalier::supervisor::internal
