#pragma once

#include "espalier/supervisor/observe/event_json.hpp"
#include "espalier/supervisor/observe/internal/journal_writer.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"
#include "libsupervisor/observe/sim_disk.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// A journal on a simulated disk, through starts, ends, kills and losses of power, and what its
/// readers must find of it at any moment.
class JournalNights {
 public:
  JournalNights(JournalSpec spec, std::uint64_t seed)
      : spec_(std::move(spec)), random_(seed), disk_(std::make_shared<SimDisk>(seed)) {}

  [[nodiscard]] SimDisk& disk() { return *disk_; }
  [[nodiscard]] std::uint64_t published() const { return events_.size(); }
  [[nodiscard]] std::uint64_t below(std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>{0, end - 1}(random_);
  }

  void start() {
    ++epoch_;
    writer_ = std::make_unique<internal::JournalWriter>(spec_, disk_,
                                                        [](Severity, const std::string&) {});
    writer_->start(now_);
  }
  void publish(std::uint64_t count, std::uint64_t longest) {
    for (std::uint64_t i = 0; i < count; ++i) {
      Event event;
      event.sequence = events_.size() + 1;
      event.epoch = epoch_;
      event.path = "/db";
      event.body = events::ChildStatusText{std::string(below(longest), 'x')};
      events_.push_back({event.epoch, {}});
      append_json(events_.back().json, event);
      events_.back().json.pop_back();  // The line goes on after it.
      if (queue_.size() < room) {
        queue_.push_back(event);
      } else {
        missing_.add({1, event.sequence, event.sequence});
      }
    }
  }
  /// What the thread of the journal does.
  void work(std::chrono::milliseconds later) {
    now_ += later;
    const bool was_failing = writer_->is_failing();
    const bool due = now_ >= writer_->next_look() || below(4) == 0;
    const bool ready = was_failing ? due && writer_->come_back(now_) : writer_->is_ready(now_);
    if (ready) hand_over();
    if (!writer_->is_failing()) writer_->keep_house(now_);
    note_what_is_safe();
  }
  void end() {
    for (const auto& event : queue_)
      missing_.add({1, event.sequence, event.sequence});
    writer_->finish(missing_);
    writer_.reset();
    let_go();
  }
  void kill() {
    disk_->end_program();
    writer_.reset();
    let_go();
  }
  void lose_power() {
    disk_->lose_power();
    writer_.reset();
    let_go();
    power_was_lost_ = true;
  }

  /// Reads all of it and holds it against what was published.
  void check() {
    const auto no_fault = std::exchange(disk_->fault, [] { return 0; });
    Found found = read();
    disk_->fault = no_fault;
    if (testing::Test::HasFatalFailure()) return;
    check_what_is_safe(found);
    check_what_is_missing(found);
    remember_what_was_seen(found);
  }
  /// All that was published is there, or named as missing.
  void check_that_nothing_is_unaccounted_for() {
    const Found found = read();
    for (std::uint64_t sequence = 1; sequence <= events_.size(); ++sequence)
      ASSERT_TRUE(found.there.count(sequence) != 0 || found.names(sequence)) << sequence;
  }

 private:
  static constexpr std::size_t room = 24;

  struct Published {
    std::uint64_t epoch = 0;
    std::string json = {};
    bool written = false;  ///< To be found after a kill.
    bool safe = false;     ///< And after a loss of power.
    TimePoint written_at = {};
  };
  struct Found {
    std::map<std::uint64_t, std::string> lines = {};  ///< By position.
    std::set<std::uint64_t> there = {};               ///< Sequences.
    std::vector<internal::Gap> named = {};
    std::set<std::uint64_t> damaged_epochs = {};
    [[nodiscard]] bool names(std::uint64_t sequence) const {
      return std::any_of(named.begin(), named.end(), [&](const internal::Gap& gap) {
        return gap.from <= sequence && sequence <= gap.to;
      });
    }
  };

  void hand_over() {
    const auto batch = std::exchange(queue_, {});
    const bool well = writer_->write(batch, std::exchange(missing_, {}), now_);
    for (const auto& event : batch) {
      auto& published = events_[event.sequence - 1];
      published.written = well;
      published.written_at = now_;
      published.safe = well && spec_.sync == JournalSync::always;
    }
    unsafe_.insert(unsafe_.end(), batch.begin(), batch.end());
  }
  // What was written and not synced before a failure may be lost in a loss of power.
  void note_what_is_safe() {
    if (spec_.sync != JournalSync::interval || unsafe_.empty()) return;
    if (writer_->is_failing()) return unsafe_.clear();
    std::erase_if(unsafe_, [&](const Event& event) {
      auto& published = events_[event.sequence - 1];
      const bool due = published.written_at + std::chrono::seconds{1} <= now_;
      if (due) published.safe = published.written;
      return due;
    });
  }
  void let_go() {
    queue_.clear();
    missing_ = {};
    unsafe_.clear();
  }

  [[nodiscard]] Found read() const {
    Found found;
    auto reader = JournalReader::open(spec_.folder, {}, disk_);
    std::uint64_t last_position = 0;
    std::uint64_t last_epoch = 0;
    std::uint64_t last_sequence = 0;
    bool damage = false;
    while (reader) {
      const auto item = reader->next();
      if (!item) break;
      if (item->kind != JournalItem::Kind::event) {
        found.damaged_epochs.insert(last_epoch);
        damage = true;
        continue;
      }
      take(*item, found, last_position, last_epoch, last_sequence);
      if (testing::Test::HasFatalFailure()) break;
      if (std::exchange(damage, false)) found.damaged_epochs.insert(last_epoch);
    }
    return found;
  }
  void take(const JournalItem& item, Found& found, std::uint64_t& last_position,
            std::uint64_t& last_epoch, std::uint64_t& last_sequence) const {
    ASSERT_GT(item.position, last_position) << "a position that comes twice";
    last_position = item.position;
    found.lines[item.position] = item.text;
    if (item.text.starts_with(R"({"type":"subscriber_lagged")")) {
      const auto json = nlohmann::json::parse(item.text);
      found.named.push_back({json["dropped"], json["from"], json["to"]});
      return;
    }
    const auto sequence = std::stoull(item.text.substr(item.text.find("\"sequence\":") + 11));
    ASSERT_LE(sequence, events_.size());
    ASSERT_TRUE(item.text.starts_with(events_[sequence - 1].json + ",\"position\":"))
        << "a line that was never written: " << item.text;
    ASSERT_GT(sequence, last_sequence) << "an event that stands in a wrong place";
    last_sequence = sequence;
    last_epoch = events_[sequence - 1].epoch;
    found.there.insert(sequence);
  }

  // Not necessarily the oldest are gone: where one could not be removed, others are.
  void check_what_is_safe(const Found& found) const {
    std::uint64_t younger = 0;
    for (auto sequence = events_.size(); sequence > 0; --sequence) {
      const auto& event = events_[sequence - 1];
      younger += event.json.size();
      const bool promised = event.safe || (event.written && !power_was_lost_);
      if (!promised || found.there.count(sequence) != 0) continue;
      ASSERT_GT(younger, spec_.max_bytes / 3) << "lost what was safe: " << sequence;
    }
  }
  // Only what was under way when a run was cut short may be missing without a word, at its end.
  void check_what_is_missing(const Found& found) const {
    std::uint64_t last = 0;
    for (const auto sequence : found.there) {
      const auto before = last == 0 ? 0 : events_[last - 1].epoch;
      const auto epoch = events_[sequence - 1].epoch;
      const bool told = before != epoch || found.damaged_epochs.count(epoch) != 0;
      for (auto missing = last + 1; missing < sequence && !told; ++missing)
        ASSERT_TRUE(found.names(missing)) << "not a word of " << missing;
      last = sequence;
    }
    for (const auto& gap : found.named) {
      std::uint64_t really = gap.to - gap.from + 1;
      for (auto sequence = gap.from; sequence <= gap.to; ++sequence)
        really -= found.there.count(sequence);
      ASSERT_LE(gap.dropped, really) << "more than is missing is said to be";
    }
  }
  // Whoever has read a line at a position never finds another one there.
  void remember_what_was_seen(const Found& found) {
    for (const auto& [position, line] : found.lines) {
      const auto seen = seen_.find(position);
      const bool same = seen == seen_.end() || seen->second == line;
      ASSERT_TRUE(same) << "another line at position " << position << ": " << line;
    }
    seen_ = found.lines;
  }

  JournalSpec spec_;
  std::mt19937_64 random_;
  std::shared_ptr<SimDisk> disk_;
  std::unique_ptr<internal::JournalWriter> writer_;
  TimePoint now_ = {};
  std::uint64_t epoch_ = 0;
  std::vector<Published> events_ = {};
  std::vector<Event> queue_ = {};
  std::vector<Event> unsafe_ = {};  ///< Written, and not yet to be found after a loss of power.
  internal::Gap missing_ = {};
  std::map<std::uint64_t, std::string> seen_ = {};
  bool power_was_lost_ = false;
};

}  // namespace espalier::supervisor
