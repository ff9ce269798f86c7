#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier::supervisor::testing_support {

/// Spans in scripts are whole milliseconds.
inline Duration millis(const std::string& text) {
  return std::chrono::milliseconds{std::stoll(text)};
}

template <class T>
T pick(const std::map<std::string, T>& words, const std::string& word) {
  const auto found = words.find(word);
  if (found == words.end()) throw std::invalid_argument("unknown word '" + word + "'");
  return found->second;
}

/// "5/60000" is five restarts in a minute; "none" is no limit.
inline std::optional<RestartLimit> parse_limit(const std::string& text) {
  if (text == "none") return std::nullopt;
  const auto slash = text.find('/');
  return RestartLimit{static_cast<std::uint32_t>(std::stoul(text.substr(0, slash))),
                      millis(text.substr(slash + 1))};
}

/// What scripts assume where they say nothing: the product's defaults, but a restart comes at
/// once, counts only against the supervisor, and a child that does not stop may take 5 s.
inline ChildPolicy plain_policy() {
  ChildPolicy policy;
  policy.restart_limit = std::nullopt;
  policy.backoff = {Duration::zero(), Duration::zero(), Jitter::none, std::chrono::seconds{30}};
  return policy;
}

inline std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, at);)
    parts.push_back(part);
  return parts;
}

inline StopPolicy parse_grace(const std::string& text) {
  if (text == "brutal_kill") return {StopPolicy::Kind::brutal_kill, Duration::zero()};
  if (text == "infinity") return {StopPolicy::Kind::infinity, Duration::zero()};
  return {StopPolicy::Kind::timed, millis(text)};
}

inline void set_backoff(Backoff& backoff, const std::string& text) {
  const auto dots = text.find("..");
  backoff.initial = millis(text.substr(0, dots));
  backoff.max = dots == std::string::npos ? backoff.initial : millis(text.substr(dots + 2));
}

inline const std::map<std::string, FatalAction>& fatal_actions() {
  static const std::map<std::string, FatalAction> words{
      {"restart", FatalAction::restart},
      {"leave_stopped", FatalAction::leave_stopped},
      {"escalate", FatalAction::escalate}};
  return words;
}

inline const std::map<std::string, SeverityClass>& severities() {
  static const std::map<std::string, SeverityClass> words{{"critical", SeverityClass::critical},
                                                          {"standard", SeverityClass::standard},
                                                          {"optional", SeverityClass::optional}};
  return words;
}

/// "3@0.5" is three tokens, half a token a second.
inline RestartBudget parse_budget(const std::string& text) {
  const auto at = text.find('@');
  return {std::stod(text.substr(0, at)), std::stod(text.substr(at + 1))};
}

/// "100/3" is every 100 ms, three failures in a row; of a registered function.
inline std::shared_ptr<const ProbeSpec> parse_probe(const std::string& text) {
  ProbeSpec probe;
  const auto slash = text.find('/');
  probe.kind = ProbeSpec::Kind::function;
  probe.function = "check";
  probe.interval = millis(text.substr(0, slash));
  probe.retries = static_cast<std::uint32_t>(std::stoul(text.substr(slash + 1)));
  return std::make_shared<const ProbeSpec>(probe);
}

inline const std::map<std::string, Strategy>& strategies() {
  static const std::map<std::string, Strategy> words{{"one_for_one", Strategy::one_for_one},
                                                     {"one_for_all", Strategy::one_for_all},
                                                     {"rest_for_one", Strategy::rest_for_one}};
  return words;
}

inline void set_timing(ChildPolicy& policy, const std::string& key, const std::string& value) {
  static const std::map<std::string, Jitter> jitters{{"none", Jitter::none},
                                                     {"full", Jitter::full},
                                                     {"equal", Jitter::equal},
                                                     {"decorrelated", Jitter::decorrelated}};
  if (key == "backoff")
    set_backoff(policy.backoff, value);
  else if (key == "jitter")
    policy.backoff.jitter = pick(jitters, value);
  else if (key == "reset_after")
    policy.backoff.reset_after = millis(value);
  else if (key == "start_timeout")
    policy.start_timeout = millis(value);
  else if (key == "watchdog")
    policy.watchdog = millis(value);
  else if (key == "grace")
    policy.stop = parse_grace(value);
  else if (key == "run_timeout")
    policy.run_timeout = millis(value);
  else if (key == "on_timeout")
    policy.on_timeout = pick(fatal_actions(), value);
  else if (key == "budget")
    policy.budget = parse_budget(value);
  else if (key == "severity")
    policy.severity = pick(severities(), value);
  else if (key == "no_backoff_for")
    policy.no_backoff_for = FailureCategory::external_dependency;
  else if (key == "health")
    policy.health_check = parse_probe(value);
  else if (key == "probe")
    policy.readiness = Readiness::probe, policy.readiness_probe = parse_probe(value);
  else
    throw std::invalid_argument("unknown key '" + key + "' of a child");
}

inline void set_kind(ChildSpec& child, ChildKind kind) {
  child.kind = kind;
  if (kind == ChildKind::supervisor) child.supervisor = std::make_shared<const SupervisorSpec>();
}

inline void set_child(ChildSpec& child, const std::string& key, const std::string& value) {
  static const std::map<std::string, RestartType> types{{"permanent", RestartType::permanent},
                                                        {"transient", RestartType::transient},
                                                        {"temporary", RestartType::temporary}};
  static const std::map<std::string, OnExhausted> exhausted{{"escalate", OnExhausted::escalate},
                                                            {"quarantine", OnExhausted::quarantine},
                                                            {"stop", OnExhausted::stop}};
  static const std::map<std::string, ChildKind> kinds{{"actor", ChildKind::actor},
                                                      {"blocking", ChildKind::blocking},
                                                      {"supervisor", ChildKind::supervisor}};
  if (key == "significant")
    child.significant = true;
  else if (key == "can_suspend")
    child.can_suspend = true;
  else if (key == "may_restart")
    child.permissions.restart = true;
  else if (key == "may_shutdown")
    child.permissions.shutdown = true;
  else if (value.empty())
    child.policy.restart = pick(types, key);
  else if (key == "group")
    child.group = value;
  else if (key == "strategy")
    child.strategy_override = pick(strategies(), value);
  else if (key == "gate")
    child.gates = {{StartGate::Kind::path, value}};
  else if (key == "sidecar_of")
    child.sidecar = Sidecar{value, true};
  else if (key == "factory")
    child.factory = value;
  else if (key == "limit")
    child.policy.restart_limit = parse_limit(value);
  else if (key == "on_exhausted")
    child.policy.on_exhausted = pick(exhausted, value);
  else if (key == "fatal_config")
    child.policy.on_fatal_config = pick(fatal_actions(), value);
  else if (key == "fatal_bug")
    child.policy.on_fatal_bug = pick(fatal_actions(), value);
  else if (key == "ready")
    child.policy.readiness =
        value == "explicit" ? Readiness::explicit_report : Readiness::immediate;
  else if (key == "deps")
    child.dependencies = split(value, ',');
  else if (key == "kind")
    set_kind(child, pick(kinds, value));
  else
    set_timing(child.policy, key, value);
}

/// "io:limit=2/1000:strategy=one_for_all:after=net": name, then what it has; `after` depends on a
/// group fully, `told_by` is told of it.
inline GroupSpec parse_group(const std::string& text) {
  GroupSpec group;
  for (const auto& part : split(text, ':')) {
    const auto eq = part.find('=');
    const auto value = eq == std::string::npos ? std::string{} : part.substr(eq + 1);
    const auto key = part.substr(0, eq);
    if (value.empty())
      group.name = key;
    else if (key == "limit")
      group.restart_limit = parse_limit(value);
    else if (key == "strategy")
      group.strategy = pick(strategies(), value);
    else if (key == "budget")
      group.budget = parse_budget(value);
    else
      group.depends_on.push_back(
          {value, key == "after" ? Propagation::full : Propagation::escalate_only});
  }
  return group;
}

inline void set_supervisor(SupervisorSpec& spec, const std::string& key, const std::string& value) {
  static const std::map<std::string, EscalationPolicy> escalations{
      {"escalate_to_parent", EscalationPolicy::escalate_to_parent},
      {"shutdown_tree", EscalationPolicy::shutdown_tree},
      {"quarantine_scope", EscalationPolicy::quarantine_scope}};
  static const std::map<std::string, AutoShutdown> modes{{"never", AutoShutdown::never},
                                                         {"any", AutoShutdown::any_significant},
                                                         {"all", AutoShutdown::all_significant}};
  if (key == "strategy")
    spec.strategy = pick(strategies(), value);
  else if (key == "max" && value == "none")
    spec.restart_limit.reset();
  else if (key == "max")
    spec.restart_limit->max_restarts = static_cast<std::uint32_t>(std::stoul(value));
  else if (key == "window")
    spec.restart_limit->window = millis(value);
  else if (key == "start_failure")
    spec.start_failure = value == "restart" ? StartFailure::restart : StartFailure::abort;
  else if (key == "order")
    spec.shutdown.order = value == "parallel" ? ShutdownOrder::parallel : ShutdownOrder::reverse;
  else if (key == "abort_wait")
    spec.shutdown.abort_wait = millis(value);
  else if (key == "total")
    spec.shutdown.total_timeout = millis(value);
  else if (key == "escalation")
    spec.escalation = pick(escalations, value);
  else if (key == "auto")
    spec.auto_shutdown = pick(modes, value);
  else if (key == "budget")
    spec.budget = parse_budget(value);
  else if (key == "child_limit")
    spec.dynamic.child_limit = static_cast<std::uint32_t>(std::stoul(value));
  else if (key == "dynamic")
    spec.dynamic.enabled = value == "on";
  else if (key == "scope")
    spec.restart_dependents_only = value == "dependents";
  else if (key == "group")
    spec.groups.push_back(parse_group(value));
  else
    throw std::invalid_argument("unknown key '" + key + "' of the supervisor");
}

/// Calls `set(key, value)` for each word of the rest of a line; a bare word has no value.
template <class Set>
void for_each_setting(std::istream& in, Set set) {
  for (std::string word; in >> word;) {
    const auto eq = word.find('=');
    set(word.substr(0, eq), eq == std::string::npos ? std::string{} : word.substr(eq + 1));
  }
}

/// The rest of a `supervisor` line.
inline SupervisorSpec parse_supervisor(std::istream& in) {
  SupervisorSpec spec;
  for_each_setting(in,
                   [&](const auto& key, const auto& value) { set_supervisor(spec, key, value); });
  return spec;
}

/// The rest of a `child` line.
inline ChildSpec parse_child(std::istream& in) {
  ChildSpec child;
  child.policy = plain_policy();
  in >> child.name;
  for_each_setting(in, [&](const auto& key, const auto& value) { set_child(child, key, value); });
  return child;
}

}  // namespace espalier::supervisor::testing_support
