#include "espalier/supervisor/observe/internal/journal_writer.hpp"

#include "espalier/supervisor/observe/event_json.hpp"
#include "espalier/supervisor/observe/internal/event_queue.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace espalier::supervisor::internal {
namespace {

using namespace std::chrono_literals;

constexpr Duration try_again_after = 1s;
constexpr Duration sync_after = 1s;
constexpr Duration tidy_after = 1min;

std::string events_missing(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " event is missing" : " events are missing");
}

}  // namespace

JournalWriter::JournalWriter(JournalSpec spec, std::shared_ptr<JournalDisk> disk, Tell tell)
    : spec_(std::move(spec)), tell_(std::move(tell)), store_(spec_, std::move(disk)) {}

void JournalWriter::start(TimePoint now) {
  tidy_at_ = now + tidy_after;
  static_cast<void>(open(now));
}

TimePoint JournalWriter::next_look() const {
  if (failing_) return try_again_at_;
  return sync_at_ ? std::min(*sync_at_, tidy_at_) : tidy_at_;
}

// Of what was found, only the first opening has something to tell: later ones find what a failed
// write has left.
bool JournalWriter::open(TimePoint now) {
  const auto opened = store_.open();
  if (!opened) {
    fail(now);
  } else if (!opened->empty() && !was_open_) {
    tell_(Severity::warning, "journal: " + *opened);
  }
  was_open_ = was_open_ || opened.has_value();
  tell_of_untidiness();
  return opened.has_value();
}

void JournalWriter::fail(TimePoint now) {
  sync_at_.reset();
  try_again_at_ = now + try_again_after;
  if (std::exchange(failing_, true)) return;
  tell_(Severity::error, store_.problem() +
                             "; the tree goes on, and events wait and are then counted as "
                             "missing, until it can be written again");
}

// What a failed write has lost is named where it is missing: before all that waits.
bool JournalWriter::come_back(TimePoint now) {
  return open(now) && (missing_.dropped == 0 || write_gap(now));
}

void JournalWriter::be_well() {
  failing_ = false;
  const auto lost = std::exchange(named_missing_, 0);
  tell_(Severity::info, "the journal in \"" + spec_.folder + "\" is written again; " +
                            (lost == 0 ? "no event is missing" : events_missing(lost)));
}

bool JournalWriter::is_ready(TimePoint now) {
  return store_.is_open() || open(now);
}

bool JournalWriter::write_gap(TimePoint now) {
  const auto gap = std::exchange(missing_, {});
  append_lagged(store_.buffer(), gap, epoch_);
  store_.end_line(gap);
  missing_ = store_.write();
  if (failing_ && missing_.dropped == 0) named_missing_ += gap.dropped;
  if (!store_.is_open()) fail(now);
  return missing_.dropped == 0 && store_.is_open();
}

bool JournalWriter::write(const std::vector<Event>& batch, const Gap& missing, TimePoint now) {
  Gap lost;
  for (const auto& event : batch) {
    epoch_ = event.epoch;
    append_json(store_.buffer(), event);
    store_.end_line({1, event.sequence, event.sequence});
    if (store_.wants_write()) lost.add(store_.write());
  }
  lost.add(store_.write());
  missing_.add(lost);
  missing_.add(missing);
  lost_ += missing.dropped + lost.dropped;
  written_ += batch.size() - lost.dropped;
  if (!store_.is_open()) {
    fail(now);
  } else if (missing_.dropped != 0) {
    static_cast<void>(write_gap(now));
  }
  if (spec_.sync == JournalSync::always) sync(now);
  if (spec_.sync == JournalSync::interval && !sync_at_ && store_.is_open()) {
    sync_at_ = now + sync_after;
  }
  const bool is_open = store_.is_open();
  if (failing_ && is_open) be_well();
  tell_of_untidiness();
  return lost.dropped == 0 && (is_open || spec_.sync != JournalSync::always);
}

void JournalWriter::sync(TimePoint now) {
  sync_at_.reset();
  if (store_.is_open() && !store_.sync()) fail(now);
}

void JournalWriter::keep_house(TimePoint now) {
  if (sync_at_ && now >= *sync_at_) sync(now);
  if (now < tidy_at_) return;
  tidy_at_ = now + tidy_after;
  store_.tidy(std::time(nullptr));
  tell_of_untidiness();
}

void JournalWriter::tell_of_untidiness() {
  if (store_.untidy() == told_untidy_) return;
  told_untidy_ = store_.untidy();
  if (!told_untidy_.empty()) tell_(Severity::warning, "journal: " + told_untidy_);
}

void JournalWriter::finish(const Gap& missing) {
  missing_.add(missing);
  lost_ += missing.dropped;
  if (missing_.dropped == 0 || (store_.is_open() && write_gap({}))) return;
  tell_(Severity::error, "the journal in \"" + spec_.folder + "\" is not complete; " +
                             events_missing(missing_.dropped));
}

}  // namespace espalier::supervisor::internal
