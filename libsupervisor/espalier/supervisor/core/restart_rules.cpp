#include "espalier/supervisor/core/internal/restart_rules.hpp"

namespace espalier::supervisor::restart_rules {

bool restart_type(RestartDecision& d) {
  const bool stays = d.restart == RestartType::temporary ||
                     (d.restart == RestartType::transient && !d.exit.is_failure());
  d.checks.push_back({Rule::restart_type, stays});
  if (stays) d.verdict = Verdict::leave_stopped;
  return stays;
}

bool category(const ChildPolicy& policy, RestartDecision& d) {
  auto action = FatalAction::restart;
  auto rule = Rule::fatal_category;
  if (d.exit.category == FailureCategory::fatal_config) action = policy.on_fatal_config;
  if (d.exit.category == FailureCategory::fatal_bug) action = policy.on_fatal_bug;
  if (d.exit.category == FailureCategory::timeout) {
    action = policy.on_timeout;
    rule = Rule::timeout;
  }
  if (action == FatalAction::restart) return false;
  d.checks.push_back({rule, true});
  d.deciding_rule = rule;
  d.verdict = action == FatalAction::escalate ? Verdict::escalate : Verdict::leave_stopped;
  return true;
}

bool limit(Rule rule, const RestartLimit& limit, RestartWindow& window, TimePoint now,
           RestartDecision& d) {
  const bool within = window.record(limit, now);
  const auto count = window.count(limit, now) + (within ? 0 : 1);
  d.checks.push_back({rule, !within, count, limit.max_restarts, limit.window, {}});
  if (!within) d.deciding_rule = rule;
  return !within;
}

Verdict verdict_of(OnExhausted what) {
  switch (what) {
    case OnExhausted::escalate:
      return Verdict::escalate;
    case OnExhausted::quarantine:
      return Verdict::quarantine;
    case OnExhausted::stop:
      break;
  }
  return Verdict::leave_stopped;
}

TimePoint budget(Rule rule, TokenBucket& bucket, TimePoint now, RestartDecision& d) {
  const auto there = bucket.reserve(now);
  d.checks.push_back({rule, there > now, 0, 0, Duration::zero(), bucket.tokens(now)});
  return there;
}

void severity(const ChildPolicy& policy, RestartDecision& d) {
  const bool gives_up = d.verdict == Verdict::escalate || d.verdict == Verdict::shutdown_tree;
  const bool by_limit = d.deciding_rule == Rule::child_limit;
  if (policy.severity == SeverityClass::optional && gives_up) {
    d.verdict = Verdict::quarantine;
  } else if (policy.severity == SeverityClass::critical && by_limit && !gives_up) {
    d.verdict = Verdict::escalate;
  } else {
    return;
  }
  d.checks.push_back({Rule::severity, true});
  d.deciding_rule = Rule::severity;
}

void backoff(const ChildPolicy& policy, std::uint32_t& in_a_row, Duration& last_delay,
             TimePoint token_at, TimePoint now, RandomSource& random, RestartDecision& d) {
  const bool exempt =
      policy.no_backoff_for != FailureCategory::none && d.exit.category == policy.no_backoff_for;
  if (!exempt) {
    ++in_a_row;
    d.delay = backoff_delay(policy.backoff, in_a_row, last_delay, random);
    last_delay = d.delay;
  }
  const bool queued = token_at - now > d.delay;
  d.checks.push_back({Rule::backoff, !queued, exempt ? 0 : in_a_row, 0, Duration::zero(), {}});
  d.deciding_rule = Rule::backoff;
  d.verdict = d.delay > Duration::zero() ? Verdict::restart_after : Verdict::restart_now;
  if (!queued) return;
  d.delay = token_at - now;
  d.verdict = Verdict::restart_queued;
  for (const auto& check : d.checks) {
    if (check.tokens && check.decided) d.deciding_rule = check.rule;
  }
}

}  // namespace espalier::supervisor::restart_rules
