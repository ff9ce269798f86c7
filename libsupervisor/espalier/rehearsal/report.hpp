#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::rehearsal {

/// A time without service of one child that was wanted: from the end of an attempt, or from the
/// begin of a hang, until the child was ready again. The first start is none.
struct Outage {
  std::string path = {};
  supervisor::Duration from = {};
  supervisor::Duration length = {};
  std::string cause = {};      ///< What began it.
  std::uint64_t attempts = 0;  ///< Ended within it, the one that began it included.
  bool open = false;           ///< It lasted to the end.
  bool for_another = false;    ///< It was well, and stopped for the sake of a sibling.
  bool unnoticed = false;      ///< A hang that nothing has ended.
};

/// One piece of the time, of one child.
struct Slice {
  supervisor::Duration down = {};
  bool quarantined = false;
  bool wanted = false;  ///< Some of the time.
};

struct ChildRecord {
  std::string path = {};
  std::uint64_t starts = 0;
  std::uint64_t failures = 0;
  std::uint64_t restarts = 0;  ///< Decided by the tree, those for the sake of siblings included.
  std::uint64_t quarantines = 0;
  std::uint64_t outages = 0;
  supervisor::Duration down = {};
  supervisor::Duration longest = {};
  supervisor::Duration wanted = {};  ///< From the first time it was ready, without planned stops.
  std::string last_state = {};       ///< "up", "down", "quarantined", "stopped", "completed", ...
  std::vector<Slice> slices = {};

  /// Share of the wanted time in which it served; 1 where it was never wanted.
  [[nodiscard]] double availability() const;
};

struct Escalation {
  supervisor::Duration at = {};
  std::string path = {};
  std::string what = {};
};

/// What came of a rehearsal, or of a recorded run: counts, times without service, and the worst.
struct Report {
  supervisor::Duration length = {};
  std::optional<supervisor::Duration> ended_at = {};  ///< The tree ended before.
  std::string end_reason = {};
  bool failed = false;     ///< It ended, and nobody had asked for that.
  bool cut_short = false;  ///< It was left before its time, since it would hardly have ended.
  std::uint64_t restarts = 0;
  std::uint64_t failures = 0;
  std::uint64_t escalation_count = 0;
  std::uint64_t quarantines = 0;
  std::uint64_t fuses = 0;  ///< Limits that were reached.
  std::uint64_t most_restarts_a_minute = 0;
  supervisor::Duration busiest_minute = {};
  std::vector<ChildRecord> children = {};    ///< By path.
  std::vector<Outage> worst = {};            ///< The longest of a child's own, at most 10.
  std::vector<Escalation> escalations = {};  ///< The first 20.
  std::uint64_t missed = 0;  ///< Incidents that met nobody, since the child was down already.

  [[nodiscard]] supervisor::Duration down() const;  ///< Of all children together.
};

}  // namespace espalier::rehearsal
