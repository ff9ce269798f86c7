#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/journal_spec.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/observe/internal/journal_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// What the thread of a journal does, without the thread and its queue: when to write, to sync, to
/// tidy up and to try again, and what to say of it.
///
/// Either it is well and takes events, or it is failing; then they stay where they are, and from
/// `next_look` on `come_back` is to be called. Time is an argument, so a test goes through a night
/// of failures in a millisecond. Not thread-safe; each call takes as long as the disk does.
class JournalWriter {
 public:
  using Tell = std::function<void(Severity severity, const std::string& text)>;

  JournalWriter(JournalSpec spec, std::shared_ptr<JournalDisk> disk, Tell tell);

  /// Once, before all else.
  void start(TimePoint now);
  [[nodiscard]] bool is_failing() const { return failing_; }
  [[nodiscard]] std::uint64_t events_written() const { return written_; }
  [[nodiscard]] std::uint64_t events_lost() const { return lost_; }
  /// When there is something to do at the latest, also without events.
  [[nodiscard]] TimePoint next_look() const;
  /// Tries to end a failure. True: what waits is to be given to `write` now.
  [[nodiscard]] bool come_back(TimePoint now);
  /// Whether `write` would reach a file; begins one where somebody removed it.
  [[nodiscard]] bool is_ready(TimePoint now);
  /// `missing` found no room while these waited, so its place is after them. False: not all of them
  /// are written, or with JournalSync::always, not all are safe from a loss of power.
  [[nodiscard]] bool write(const std::vector<Event>& batch, const Gap& missing, TimePoint now);
  /// What is due by now.
  void keep_house(TimePoint now);
  /// Last of all: `missing` are the events that were given up.
  void finish(const Gap& missing);

 private:
  [[nodiscard]] bool open(TimePoint now);
  void fail(TimePoint now);
  void be_well();
  [[nodiscard]] bool write_gap(TimePoint now);
  void sync(TimePoint now);
  void tell_of_untidiness();

  JournalSpec spec_;
  Tell tell_;
  JournalStore store_;
  Gap missing_ = {};                 ///< Not yet named in the journal.
  std::uint64_t named_missing_ = 0;  ///< Named in it since it failed.
  std::uint64_t written_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t epoch_ = 0;
  bool failing_ = false;
  bool was_open_ = false;
  std::string told_untidy_ = {};
  TimePoint try_again_at_ = {};
  TimePoint tidy_at_ = {};
  std::optional<TimePoint> sync_at_ = {};
};

}  // namespace espalier::supervisor::internal
