#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/run_summary.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

namespace espalier::supervisor {

/// Counts what a RunSummary tells from the events of one tree, in constant memory.
///
/// Thread rule: one caller at a time. Pure: times come with the events.
class RunSummaryBuilder {
 public:
  static constexpr std::size_t failures_kept = 16;

  void add(const Event& event);

  /// The word for RunSummary::occasion if this event is one on which a summary is due; else
  /// empty. The end of a shutdown is told by whoever ends it.
  [[nodiscard]] static std::string occasion_of(const Event& event);

  /// `now` and `state` as of the occasion.
  [[nodiscard]] RunSummary make(std::string occasion, std::string cause, std::string state,
                                TimePoint now) const;

 private:
  bool begun_ = false;
  std::chrono::system_clock::time_point started_at_ = {};
  TimePoint began_ = {};
  std::uint64_t restarts_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t commands_ = 0;
  struct Failure {
    std::string path = {};
    ExitRecord exit = {};
  };
  std::deque<Failure> recent_failures_;  ///< Put into words only when a summary is due.
  std::string decided_for_;
  std::shared_ptr<const RestartDecision> last_decision_;
};

}  // namespace espalier::supervisor
