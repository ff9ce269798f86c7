#pragma once

#include "espalier/metrics/internal/count_table.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace espalier::metrics::internal {

/// Counts how supervisors end, the root and nested ones: how long each stage took, whom they had
/// to end by force and why, and what became of all children in the end. Thread-safe; only events of
/// a shutdown and of children ended by force take its lock.
class ShutdownWatch {
 public:
  ShutdownWatch();

  void on(const supervisor::Event& event, const supervisor::events::ShutdownStageReached& stage);
  void on(const supervisor::Event& event, const supervisor::events::TreeStopped& end);
  void on(const supervisor::Event& event, const supervisor::events::ShutdownCompleted& end);
  /// Of a child: ended by force, or not even that.
  void on_abort(const supervisor::Event& event, bool failed);

  HistogramTable durations;  ///< path, phase, result
  CountTable outcomes = {};  ///< path, status, phase
  CountTable aborts = {};    ///< path, phase, reason
  CountTable late = {};      ///< path, phase
  CountTable exits = {};     ///< path, state, phase

 private:
  /// A supervisor that is ending.
  struct Closing {
    std::vector<std::pair<supervisor::ShutdownStage, supervisor::TimePoint>> stages = {};
    std::vector<supervisor::ShutdownStage> aborted = {};  ///< One each, by when.
    bool abort_failed = false;

    [[nodiscard]] bool was_asked() const;
  };
  void observe(const std::string& path, const Closing& closing, const std::string& result,
               supervisor::TimePoint end);
  [[nodiscard]] const char* reason_for(const std::string& path, const Closing& closing,
                                       const std::string& result) const;
  void count_children(const supervisor::ShutdownReport& report);

  mutable std::mutex mutex_;
  std::map<std::string, Closing> closing_ = {};  ///< Gone with the end of the supervisor.
};

}  // namespace espalier::metrics::internal
