#include "espalier/supervisor/core/decision.hpp"

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
    case Rule::dependency_ready:
      return "a dependency is not ready";
    case Rule::backoff:
      return "no restart is due";
  }
  return "no rule allows a restart";
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

const char* to_string(Verdict x) {
  switch (x) {
    case Verdict::restart_now:
      return "restart_now";
    case Verdict::restart_after:
      return "restart_after";
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
    case Rule::start_failure:
      return "start_failure";
  }
  return "unknown";
}

}  // namespace espalier::supervisor
