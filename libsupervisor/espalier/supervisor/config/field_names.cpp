#include "espalier/supervisor/config/internal/fields.hpp"

#include <map>

namespace espalier::supervisor::internal {

void FieldNames::value(const FieldInfo& info, const Value& value) {
  names_.push_back(prefix_ + info.key);
  if (value.is_duration) names_.push_back(prefix_ + info.key + "_ms");
}

void FieldNames::group(const FieldInfo& info, const std::string& shorthand, const Body& body) {
  if (!shorthand.empty()) names_.push_back(prefix_ + info.key);
  FieldNames inner(prefix_ + info.key + ".");
  body(inner);
  names_.insert(names_.end(), inner.names_.begin(), inner.names_.end());
}

FieldInfo section_info(const std::string& name) {
  static const std::map<std::string, std::string> help{
      {"supervisor", "The root of the tree."},
      {"policy", "Defaults for every child below; a child may set any of these fields itself."},
      {"shutdown", "How children are stopped. Supervisors below inherit it."},
      {"observability", "What is recorded about the tree."},
      {"children", "What is supervised, in the order in which it starts."}};
  return {name, help.at(name)};
}

const std::vector<Spelling>& root_spellings() {
  static const std::vector<Spelling> table{
      {"policy.supervisor_failure_limit", "supervisor.restart_limit.max_restarts"},
      {"policy.supervisor_failure_window_ms", "supervisor.restart_limit.window_ms"},
      {"observability.event_journal_capacity", "observability.journal.capacity"}};
  return table;
}

const std::vector<Spelling>& policy_spellings() {
  static const std::vector<Spelling> table{
      {"restart_limit", "child_restart_limit"},
      {"child_restart_window_ms", "child_restart_limit.window_ms"},
      {"on_exhausted", "child_restart_limit.on_exhausted"},
      {"initial_backoff_ms", "backoff.initial_ms"},
      {"max_backoff_ms", "backoff.max_ms"},
      {"stale_after_ms", "watchdog_ms"}};
  return table;
}

std::string advice_for(const std::string& key) {
  static const std::map<std::string, std::string> advice = [] {
    std::map<std::string, std::string> table{
        {"jitter_ratio",
         "has no counterpart; write backoff: {jitter: none} for 0, {jitter: equal} for about 0.5, "
         "{jitter: full} for 1"},
        {"heartbeat_interval_ms",
         "has no counterpart, children choose when to report; write watchdog for the longest "
         "silence allowed"},
        {"<<", "merge keys are not part of YAML 1.2; put what children share under policy"},
        {"probe", "is not part of this release; a child reports by itself that it is ready"}};
    for (const auto* name :
         {"dashboard", "backpressure", "tasks", "ipc", "escalation_policy", "auto_shutdown",
          "dynamic", "groups", "overrides", "metrics", "audit", "traces", "metrics_enabled",
          "audit_enabled", "heartbeat", "probes", "budget", "restart_budget"}) {
      table.emplace(name, "is not part of this release; remove it");
    }
    return table;
  }();
  const auto found = advice.find(key);
  return found == advice.end() ? std::string() : found->second;
}

}  // namespace espalier::supervisor::internal
