#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace espalier::supervisor {
namespace {

const RuleCheck* find(const RestartDecision& decision, Rule rule) {
  for (const auto& check : decision.checks) {
    if (check.rule == rule) return &check;
  }
  return nullptr;
}

std::string ordinal(std::uint64_t n) {
  const auto tens = n % 100;
  const auto ones = n % 10;
  const char* suffix = "th";
  if (tens < 11 || tens > 13) {
    if (ones == 1) suffix = "st";
    if (ones == 2) suffix = "nd";
    if (ones == 3) suffix = "rd";
  }
  return std::to_string(n) + suffix;
}

std::string restarts(std::uint64_t n) {
  return std::to_string(n) + (n == 1 ? " restart" : " restarts");
}

std::string restart_type_reason(const RestartDecision& decision) {
  if (decision.restart == RestartType::temporary) return "temporary children are never restarted";
  const std::string type = to_string(decision.restart);
  if (decision.exit.kind == ExitKind::stopped) return type + ", and it was asked to stop";
  return type + ", and it " + (decision.exit.is_failure() ? "failed" : "completed");
}

std::string severity_reason(const RestartDecision& decision) {
  const bool spared = decision.verdict == Verdict::quarantine;
  std::string out = spared ? "it is optional and takes nobody down" : "it is critical";
  if (const auto* check = find(decision, Rule::child_limit); check && check->decided) {
    out += ", and its limit of " + restarts(check->limit) + " in " + human(check->window) +
           " is used up";
  }
  return out;
}

// Why the verdict is not a restart, from the rule that decided.
std::string reason(const RestartDecision& decision) {
  const auto* check = find(decision, decision.deciding_rule);
  switch (decision.deciding_rule) {
    case Rule::restart_type:
      return restart_type_reason(decision);
    case Rule::fatal_category:
      return std::string{"a restart cannot mend "} + to_string(decision.exit.category);
    case Rule::child_limit:
      if (!check) return "the child's restart limit is used up";
      return ordinal(check->count) + " restart within " + human(check->window) + ", limit " +
             std::to_string(check->limit);
    case Rule::supervisor_limit:
      if (!check) return "the supervisor's restart limit is used up";
      return "supervisor limit of " + restarts(check->limit) + " in " + human(check->window) +
             " used up";
    case Rule::start_failure:
      return "the first start of its supervisor failed";
    case Rule::timeout:
      return "a restart is not wanted after a time-out";
    case Rule::group_limit:
      if (!check) return "its group is held";
      return "group limit of " + restarts(check->limit) + " in " + human(check->window) +
             " used up";
    case Rule::severity:
      return severity_reason(decision);
    case Rule::child_budget:
    case Rule::group_budget:
    case Rule::supervisor_budget:
      return "no token";
    case Rule::dependency_ready:
      return "a dependency is not ready";
    case Rule::backoff:
      return "no restart is due";
  }
  return "no rule allows a restart";
}

std::string budget(const RuleCheck& check) {
  const char* whose = check.rule == Rule::child_budget   ? "budget "
                      : check.rule == Rule::group_budget ? "group's budget "
                                                         : "supervisor's budget ";
  const auto tokens = std::lround(std::floor(std::abs(*check.tokens)));
  if (*check.tokens <= -0.5) {
    return std::string{"; "} + whose + "owes " + std::to_string(std::max(1L, tokens)) +
           (tokens > 1 ? " tokens" : " token");
  }
  return std::string{"; "} + whose + std::to_string(tokens) + (tokens == 1 ? " token" : " tokens");
}

// The rules that were consulted and let the restart pass.
std::string passed_rules(const RestartDecision& decision) {
  std::string out;
  if (const auto* check = find(decision, Rule::dependency_ready); check && check->decided) {
    out += "; not counted, as a dependency is not ready";
  }
  if (const auto* check = find(decision, Rule::supervisor_limit)) {
    out += "; " + std::to_string(check->count) + " of " + restarts(check->limit) + " used in " +
           human(check->window);
  }
  if (find(decision, Rule::child_limit)) out += "; child fuse clear";
  for (const auto& check : decision.checks) {
    if (check.tokens) out += budget(check);
  }
  return out;
}

}  // namespace

std::string explain(const std::string& path, const RestartDecision& decision) {
  std::string out =
      path + ": " + to_string(decision.restart) + ", " + describe(decision.exit) + " -> ";
  switch (decision.verdict) {
    case Verdict::restart_now:
      return out + "restart now" + passed_rules(decision);
    case Verdict::restart_after:
      return out + "restart in " + human(decision.delay) + passed_rules(decision);
    case Verdict::restart_queued:
      return out + "restart queued for " + human(decision.delay) + passed_rules(decision);
    case Verdict::hold_group:
      return out + "hold: " + reason(decision);
    case Verdict::shutdown_tree:
      return out + "shut the tree down: " + reason(decision);
    case Verdict::leave_stopped:
      return out + "leave stopped: " + reason(decision);
    case Verdict::quarantine:
      return out + "quarantine: " + reason(decision);
    case Verdict::escalate:
      return out + "escalate: " + reason(decision);
  }
  return out + "unknown verdict";
}

std::string human(Duration d) {
  struct Unit {
    const char* name;
    double nanoseconds;
    double below;  // The next unit takes over here, so that 60 s stays 60 s and 120 s is 2 min.
  };
  static constexpr std::array<Unit, 5> units = {{{"us", 1e3, 1000},
                                                 {"ms", 1e6, 1000},
                                                 {"s", 1e9, 120},
                                                 {"min", 6e10, 120},
                                                 {"h", 3.6e12, HUGE_VAL}}};
  if (d == Duration::zero()) return "0 s";
  const double total = static_cast<double>(d.count());
  for (const auto& unit : units) {
    const double tenths = std::round(total / unit.nanoseconds * 10);
    if (std::abs(tenths) >= unit.below * 10) continue;
    std::array<char, 40> text{};
    const bool whole = std::abs(tenths) >= 1000 || std::fmod(tenths, 10) == 0;
    std::snprintf(text.data(), text.size(), "%.*f %s", whole ? 0 : 1, tenths / 10, unit.name);
    return text.data();
  }
  return "0 s";  // Unreachable: nothing is past the last unit.
}

bool is_restart(Verdict x) {
  return x == Verdict::restart_now || x == Verdict::restart_after || x == Verdict::restart_queued;
}

const char* to_string(Verdict x) {
  switch (x) {
    case Verdict::restart_now:
      return "restart_now";
    case Verdict::restart_after:
      return "restart_after";
    case Verdict::restart_queued:
      return "restart_queued";
    case Verdict::hold_group:
      return "hold_group";
    case Verdict::shutdown_tree:
      return "shutdown_tree";
    case Verdict::leave_stopped:
      return "leave_stopped";
    case Verdict::quarantine:
      return "quarantine";
    case Verdict::escalate:
      return "escalate";
  }
  return "unknown";
}

const char* to_string(Rule x) {
  switch (x) {
    case Rule::restart_type:
      return "restart_type";
    case Rule::fatal_category:
      return "fatal_category";
    case Rule::dependency_ready:
      return "dependency_ready";
    case Rule::child_limit:
      return "child_limit";
    case Rule::supervisor_limit:
      return "supervisor_limit";
    case Rule::backoff:
      return "backoff";
    case Rule::timeout:
      return "timeout";
    case Rule::group_limit:
      return "group_limit";
    case Rule::child_budget:
      return "child_budget";
    case Rule::group_budget:
      return "group_budget";
    case Rule::supervisor_budget:
      return "supervisor_budget";
    case Rule::severity:
      return "severity";
    case Rule::start_failure:
      return "start_failure";
  }
  return "unknown";
}

}  // namespace espalier::supervisor
