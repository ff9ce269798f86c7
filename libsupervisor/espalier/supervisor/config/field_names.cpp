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

void FieldNames::optional(const FieldInfo& info, const std::string& shorthand, const Presence&,
                          const Body& body) {
  if (shorthand.empty()) names_.push_back(prefix_ + info.key);
  group(info, shorthand, body);
}

void FieldNames::rows(const FieldInfo& info, const Rows&) {
  names_.push_back(prefix_ + info.key);
}

FieldInfo section_info(const std::string& name) {
  static const std::map<std::string, std::string> help{
      {"supervisor", "The root of the tree."},
      {"policy", "Defaults for every child below; a child may set any of these fields itself."},
      {"shutdown", "How children are stopped. Supervisors below inherit it."},
      {"observability", "What is recorded about the tree."},
      {"backpressure", "Readers of events that are too slow."},
      {"dashboard",
       "The socket through which others see the tree and steer it; without this section there is "
       "none."},
      {"children", "What is supervised, in the order in which it starts."}};
  return {name, help.at(name)};
}

const std::vector<Spelling>& root_spellings() {
  static const std::vector<Spelling> table{
      {"policy.supervisor_failure_limit", "supervisor.restart_limit.max_restarts"},
      {"policy.supervisor_failure_window_ms", "supervisor.restart_limit.window_ms"},
      {"observability.event_journal_capacity", "observability.journal.capacity"},
      {"dashboard.security.allowed_uids", "dashboard.security.read.uids"},
      {"dashboard.security.allowed_gids", "dashboard.security.read.gids"}};
  return table;
}

const std::vector<Spelling>& policy_spellings() {
  static const std::vector<Spelling> table{
      {"restart_limit", "child_restart_limit"},
      {"child_restart_window_ms", "child_restart_limit.window_ms"},
      {"on_exhausted", "child_restart_limit.on_exhausted"},
      {"initial_backoff_ms", "backoff.initial_ms"},
      {"max_backoff_ms", "backoff.max_ms"},
      {"watchdog", "heartbeat.stale_after"},
      {"watchdog_ms", "heartbeat.stale_after_ms"},
      {"stale_after_ms", "heartbeat.stale_after_ms"},
      {"heartbeat_interval_ms", "heartbeat.interval_ms"},
      {"criticality", "severity"},
      {"restart_budget", "child_restart_budget"}};
  return table;
}

const std::vector<Spelling>& child_spellings() {
  static const std::vector<Spelling> table{{"work_role", "role"}};
  return table;
}

std::string advice_for(const std::string& key) {
  static const std::map<std::string, std::string> advice = [] {
    std::map<std::string, std::string> table{
        {"jitter_ratio",
         "has no counterpart; write backoff: {jitter: none} for 0, {jitter: equal} for about 0.5, "
         "{jitter: full} for 1"},
        {"<<", "merge keys are not part of YAML 1.2; put what children share under policy"},
        {"probe", "write it as readiness: {probe: {...}}, or as health_check: {...}"},
        {"probes", "write readiness: {probe: {...}} and health_check: {...}"},
        {"budget", "is named restart_budget"},
        {"max_retries", "is named retries"},
        {"sidecar_config", "is named sidecar, with the keys primary and linked_lifecycle"},
        {"command_permissions", "is named permissions, with the keys restart and shutdown"},
        {"window_secs",
         "is named window in backpressure, such as 30s; a budget has no window, "
         "recovery_rate_per_sec alone tells how it refills"},
        {"window",
         "belongs to a restart limit; a budget has none, recovery_rate_per_sec tells how it "
         "refills"}};
    table.emplace("ipc", "is named dashboard; its fields stand in the template");
    table.emplace("tasks", "is not part of this release; remove it");
    table.emplace("metrics", "belongs to observability");
    table.emplace("traces", "belongs to observability");
    table.emplace("audit", "is written always; dashboard.security.audit_file says where");
    table.emplace("audit_enabled", "has no counterpart: the audit is written always");
    table.emplace("metrics_enabled",
                  "has no counterpart; observability.metrics.listen turns metrics on");
    return table;
  }();
  const auto found = advice.find(key);
  return found == advice.end() ? std::string() : found->second;
}

}  // namespace espalier::supervisor::internal
