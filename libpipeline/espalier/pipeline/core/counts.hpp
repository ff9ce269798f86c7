#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// How the fed items fare. At every moment
///   accepted == succeeded + failed + skipped + cancelled + in_flight.
struct Counts {
  std::uint64_t accepted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t rejected = 0;  ///< Never accepted (Overflow::reject), so not in the sum.
  std::uint64_t late = 0;  ///< Attempts that came back after their item had ended; not in the sum.
  [[nodiscard]] std::uint64_t in_flight() const {
    return accepted - succeeded - failed - skipped - cancelled;
  }
  bool operator==(const Counts&) const = default;
};

/// One stage at a moment. Times are sums over items; divide by the count for an average.
struct StageStats {
  std::string name = {};
  std::uint32_t workers = 0;  ///< Allowed now.
  std::uint32_t busy = 0;     ///< At work now.
  std::size_t capacity = 0;
  std::size_t queued = 0;    ///< Waiting for a worker.
  std::size_t retrying = 0;  ///< Waiting for their next attempt.
  std::size_t in_work = 0;
  std::uint64_t completed = 0;  ///< Passed or skipped on.
  std::uint64_t failed = 0;     ///< Ended here.
  std::uint64_t skipped = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  Duration queue_time = {};
  Duration service_time = {};  ///< In work, all attempts.
  Duration retry_time = {};    ///< Waiting for the next attempt.
  Duration blocked_time = {};  ///< Could have been claimed, but the next stage was full.
  enum class Breaker : std::uint8_t { none, closed, open, half_open };
  Breaker breaker = Breaker::none;
};

/// What one worker does.
struct WorkerState {
  std::string name = {};  ///< "<stage>-W<n>".
  std::string stage = {};
  bool busy = false;
  std::string item = {};    ///< Id of the first item of its batch.
  std::string status = {};  ///< set_task_status.
  TimePoint since = {};
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  Duration service_time = {};
};

/// A whole pipeline at a moment; never changes afterwards.
struct PipelineSnapshot {
  std::string name = {};
  TimePoint at = {};
  Counts counts = {};
  std::size_t outputs_waiting = 0;
  std::vector<StageStats> stages = {};
  std::vector<WorkerState> workers = {};
};

}  // namespace espalier::pipeline
