#pragma once

#include "espalier/pipeline/show/dashboard.hpp"
#include "espalier/pipeline/track/status_tracker.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace espalier::pipeline {

struct ShowOptions {
  std::optional<std::uint64_t> total = {};
  Duration interval = std::chrono::milliseconds{250};
  std::size_t items = 20;  ///< Shown by `full`; needs a tracker.
  std::size_t errors = 5;  ///< Last ones shown; needs a tracker.
  /// Adds errors by type and items; the caller also makes the pipeline tell it.
  std::shared_ptr<StatusTracker> tracker = {};
};

/// Shows a pipeline for as long as it lives: make one before feeding, destroy it (or `finish`) when
/// the pipeline is done.
///
///   Show show([&] { return p.snapshot(); }, *make_display("compact"), {.total = urls.size()});
///   auto results = p.run(urls);
///
/// Draws on a thread of its own: at once, at intervals, and at the end without waiting for the next
/// interval. What `snapshot` or the dashboard throw is counted and changes nothing. `finish` waits
/// for the terminal to take the last picture. Thread rule: any thread.
class Show {
 public:
  using Snapshot = std::function<PipelineSnapshot()>;
  Show(Snapshot snapshot, std::shared_ptr<DashboardProtocol> dashboard, ShowOptions options = {});
  ~Show();
  Show(const Show&) = delete;
  Show& operator=(const Show&) = delete;

  /// Draws the end. Safe to call twice.
  void finish();
  /// Calls that ended with an exception.
  [[nodiscard]] std::uint64_t errors() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::pipeline
