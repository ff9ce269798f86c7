#pragma once

#include "espalier/pipeline/track/status_words.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline {

using WallTime = std::chrono::system_clock::time_point;
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// One change of one item. A copy: nothing that happens later changes it.
struct StatusEvent {
  std::string item = {};  ///< Its id; without one, its sequence number in decimal.
  ItemSeq seq = 0;
  std::string stage = {};  ///< Empty: no stage, as with what is cancelled after the last one.
  Status status = Status::queued;
  std::string worker = {};  ///< "<stage>-W<number>"; empty where there is none.
  std::optional<std::uint32_t> worker_number = {};
  TimePoint at = {};   ///< For differences.
  WallTime wall = {};  ///< The same moment, for people; see timestamp_text.
  /// With retrying: the attempt that comes next; with failed: those that were made.
  std::uint32_t attempt = 0;
  std::string error = {};       ///< With failed, retrying, cancelled.
  std::string error_type = {};  ///< Of the exception as in the source, never guessed from its text.
  Metadata metadata = {};       ///< What the item was fed with.
  std::optional<Duration> queue_wait = {};    ///< With in_progress, since it came to the stage.
  std::optional<Duration> service_time = {};  ///< With completed, failed and retrying.
  std::optional<Duration> blocked_time = {};  ///< With queued: from one stage to the next.
};

/// A moment in the life of one task of one item.
struct TaskEvent {
  std::string item = {};
  ItemSeq seq = 0;
  std::string stage = {};
  std::string task = {};
  std::string worker = {};
  std::optional<std::uint32_t> worker_number = {};
  TaskMoment moment = TaskMoment::start;
  std::uint32_t attempt = 1;  ///< The one it belongs to, from 1.
  TimePoint at = {};
  WallTime wall = {};
  std::optional<Duration> duration = {};  ///< Not with start.
  std::string error = {};                 ///< With retry and fail.
  std::string error_type = {};
  Metadata metadata = {};
};

/// An item that ended without a value because something went wrong.
struct FailedItem {
  std::string item = {};
  ItemSeq seq = 0;
  std::string stage = {};
  std::string error = {};
  std::string error_type = {};
  std::uint32_t attempts = 0;
  TimePoint at = {};
  WallTime wall = {};
};

/// How many items are where; all seven words are always there.
class StatusStats {
 public:
  [[nodiscard]] std::uint64_t operator[](Status status) const { return counts_[place(status)]; }
  [[nodiscard]] std::uint64_t& operator[](Status status) { return counts_[place(status)]; }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts_)
      sum += count;
    return sum;
  }
  bool operator==(const StatusStats&) const = default;

 private:
  [[nodiscard]] static std::size_t place(Status status) { return static_cast<std::size_t>(status); }
  std::array<std::uint64_t, all_statuses.size()> counts_ = {};
};

/// RFC 3339, UTC, microseconds: "2025-11-21T12:00:01.123456Z".
[[nodiscard]] std::string timestamp_text(WallTime wall);

}  // namespace espalier::pipeline
