#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <chrono>
#include <map>
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
  else
    throw std::invalid_argument("unknown key '" + key + "' of a child");
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
  if (value.empty())
    child.policy.restart = pick(types, key);
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
    child.kind = pick(kinds, value);
  else
    set_timing(child.policy, key, value);
}

inline void set_supervisor(SupervisorSpec& spec, const std::string& key, const std::string& value) {
  static const std::map<std::string, Strategy> strategies{{"one_for_one", Strategy::one_for_one},
                                                          {"one_for_all", Strategy::one_for_all},
                                                          {"rest_for_one", Strategy::rest_for_one}};
  if (key == "strategy")
    spec.strategy = pick(strategies, value);
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
