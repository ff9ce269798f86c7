#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What is to become of a child that exited.
enum class Verdict : std::uint8_t {
  restart_now,
  restart_after,
  restart_queued,  ///< Restarted once the budget has a token again.
  leave_stopped,
  quarantine,
  hold_group,  ///< Not restarted before its group is reset.
  escalate,
  shutdown_tree,
};

/// Now, later or once there is a token.
[[nodiscard]] bool is_restart(Verdict x);

/// The rules of the restart pipeline, in the order they are consulted.
enum class Rule : std::uint8_t {
  restart_type,      ///< permanent, transient, temporary.
  fatal_category,    ///< on_fatal_config, on_fatal_bug.
  timeout,           ///< on_timeout.
  dependency_ready,  ///< A failure while a dependency is not ready is not counted.
  child_budget,      ///< Tokens of the child, its group, its supervisor.
  group_budget,
  supervisor_budget,
  child_limit,       ///< The child's own restart limit.
  group_limit,       ///< The group's fuse.
  supervisor_limit,  ///< The supervisor's restart limit.
  severity,          ///< An optional child never escalates, a critical one always does.
  backoff,           ///< How long to wait.
  start_failure,     ///< The first start of the supervisor failed.
};

/// One rule as it was applied: what it counted, against which limit, and whether it decided.
struct RuleCheck {
  Rule rule = Rule::restart_type;
  bool decided = false;
  std::uint64_t count = 0;  ///< Restarts in the window including this one; or in a row.
  std::uint64_t limit = 0;
  Duration window = Duration::zero();
  std::optional<double> tokens = {};  ///< Of a budget: left after this restart; below 0: owed.
};

/// A decision as a value: the inputs, every rule consulted with counter and limit, the verdict
/// and the rule that decided it. `explain` renders it as one sentence.
struct RestartDecision {
  ExitRecord exit = {};
  RestartType restart = RestartType::permanent;
  Strategy strategy = Strategy::one_for_one;
  Verdict verdict = Verdict::leave_stopped;
  Rule deciding_rule = Rule::restart_type;
  Duration delay = Duration::zero();
  std::vector<RuleCheck> checks = {};
};

/// "/db: transient, exit code 1 (recoverable) -> restart in 1.6 s; 3 of 10 restarts used in 60 s".
[[nodiscard]] std::string explain(const std::string& path, const RestartDecision& decision);

/// "1.6 s", "250 ms", "2 min".
[[nodiscard]] std::string human(Duration d);

[[nodiscard]] const char* to_string(Verdict x);
[[nodiscard]] const char* to_string(Rule x);

}  // namespace espalier::supervisor
