#include "espalier/ipc/core/internal/answers.hpp"

#include "espalier/ipc/core/internal/command_request.hpp"
#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/methods.hpp"
#include "espalier/supervisor/observe/event_json.hpp"

#include <chrono>
#include <utility>

namespace espalier::ipc::internal {

namespace {

constexpr std::uint64_t usual_records = 100;
constexpr std::uint64_t most_records = 1000;

double ms(supervisor::Duration d) {
  return std::chrono::duration<double, std::milli>{d}.count();
}

template <Message T>
std::string text_of(const T& message) {
  std::string text;
  encode(text, message);
  return text;
}

LimitsInfo limits_of(const supervisor::DashboardSecurity& rules) {
  LimitsInfo limits;
  limits.max_line_bytes = rules.max_line_bytes;
  limits.requests_per_second = rules.requests_per_second;
  limits.request_burst = rules.request_burst;
  limits.replay_window_ms = ms(rules.replay_window);
  limits.command_lifetime_ms = ms(rules.command_lifetime);
  limits.idle_timeout_ms = ms(rules.idle_timeout);
  limits.max_queued_bytes = rules.max_queued_bytes;
  limits.max_queued_events = rules.max_queued_events;
  return limits;
}

ExitInfo exit_of(const supervisor::ExitRecord& exit) {
  ExitInfo info;
  info.kind = to_string(exit.kind);
  info.category = to_string(exit.category);
  info.code = exit.code;
  info.signal = exit.signal;
  if (!exit.message.empty()) info.message = exit.message;
  return info;
}

DecisionInfo decision_of(const supervisor::RestartDecision& decision, const std::string& text) {
  DecisionInfo info;
  info.verdict = to_string(decision.verdict);
  info.deciding_rule = to_string(decision.deciding_rule);
  info.delay_ms = ms(decision.delay);
  info.exit = exit_of(decision.exit);
  for (const auto& check : decision.checks) {
    info.rules.push_back({to_string(check.rule), check.decided, check.count, check.limit,
                          ms(check.window), check.tokens});
  }
  info.text = text;
  return info;
}

}  // namespace

std::string hello_text(const TargetInfo& info, const supervisor::DashboardSecurity& rules,
                       std::vector<MethodClass> allowed) {
  HelloResult hello;
  hello.protocol_version = protocol_version;
  hello.target_id = info.target_id;
  hello.display_name = info.display_name;
  hello.pid = info.pid;
  hello.version = info.version;
  hello.started_at = info.started_at;
  hello.epoch = info.epoch;
  for (const auto& method : methods()) {
    hello.capabilities.emplace_back(method.name);
    if (!method.is_command) continue;
    hello.supported_commands.push_back(
        {std::string{method.name}, method.is_dangerous(), method.timeout_ms});
  }
  hello.limits = limits_of(rules);
  hello.allowed = std::move(allowed);
  return text_of(hello);
}

std::string ping_text(Timestamp wall) {
  return text_of(PingResult{wall});
}

std::string health_text(Target& target) {
  const auto report = target.health();
  const auto summary = target.summary();
  HealthResult health;
  health.state = report.state;
  health.alive = report.alive;
  health.since = report.since;
  health.total = report.counts.total;
  health.ready = report.counts.ready();
  health.unready = report.counts.unready;
  health.not_ready = report.not_ready;
  health.restarts = summary.restarts;
  health.failures = summary.failures;
  if (report.ended) health.reason = report.ended->reason;
  return text_of(health);
}

Text why_text(Target& target, const PathParams& params) {
  const auto why = target.why(params.path);
  if (!why) return unexpected<WireError>(error_of(why.error()));
  WhyResult result;
  result.path = why->path;
  result.sentence = why->sentence;
  result.phase = why->view.phase;
  if (why->decision) result.decision = decision_of(*why->decision, why->decision_text);
  for (const auto& event : why->chain) {
    result.chain.push_back({std::string{}});
    append_json(result.chain.back().text, event);
  }
  result.complete = why->complete;
  return text_of(result);
}

Text audit_text(Auditor& audit, const AuditQueryParams& params) {
  const auto limit = params.limit.value_or(usual_records);
  if (limit == 0 || limit > most_records) {
    return unexpected<WireError>(WireError{ErrorCode::invalid_params,
                                           Stage::parameters,
                                           "params.limit: expected 1 to 1000",
                                           false,
                                           {}});
  }
  AuditPage page;
  for (auto& line : audit.last(limit))
    page.records.push_back({std::move(line)});
  return text_of(page);
}

}  // namespace espalier::ipc::internal
