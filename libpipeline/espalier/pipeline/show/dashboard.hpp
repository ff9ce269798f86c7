#pragma once

#include "espalier/pipeline/core/counts.hpp"
#include "espalier/pipeline/track/error_summary.hpp"
#include "espalier/pipeline/track/events.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// A pipeline at a moment, for those who show it. A copy: it never changes.
struct DashboardView {
  PipelineSnapshot snapshot = {};
  std::optional<std::uint64_t> total = {};  ///< Items there will be, where that is known.
  Duration elapsed = {};                    ///< Since the first view.
  double rate = 0;                   ///< Items ended per second, of late; at the end: of all time.
  std::optional<Duration> eta = {};  ///< Until all have ended, if they go on like this.
  ErrorSummary errors = {};          ///< `items`: only the last few; none without a tracker.
  std::vector<StatusEvent> items = {};  ///< Changed last, newest first; none without a tracker.
  std::uint64_t events_dropped = 0;     ///< By the tracker: `items` may look older than they are.

  /// Items that have ended, in whichever way.
  [[nodiscard]] std::uint64_t done() const {
    return snapshot.counts.accepted - snapshot.counts.in_flight();
  }
};

/// Something that shows a pipeline. Called by Show, by one thread at a time: `on_start` before the
/// first item, then `on_update` at intervals and at least once, `on_finish` last. What it throws is
/// counted and changes nothing; while it writes, nothing but it waits.
class DashboardProtocol {
 public:
  virtual ~DashboardProtocol() = default;
  virtual void on_start(const std::string& name, std::optional<std::uint64_t> total) = 0;
  virtual void on_update(const DashboardView& view) = 0;
  virtual void on_finish(const DashboardView& view, const ErrorSummary& summary) = 0;
};

}  // namespace espalier::pipeline
