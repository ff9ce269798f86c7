#include "espalier/supervisor/core/internal/pool_impl.hpp"

namespace espalier::supervisor {

RestartDecision PoolEngine::Impl::decide(ChildIndex i, TimePoint now) {
  RestartDecision d;
  d.exit = *table_[i].more->last_exit;
  d.restart = policy().restart;
  const bool decided = consult_restart_type(d) || consult_category(d) ||
                       consult_instance_limit(i, d, now) || consult_pool_limit(i, d, now);
  if (decided) {
    consult_severity(d);
  } else {
    consult_delay(i, d, now);
  }
  return d;
}

bool PoolEngine::Impl::consult_restart_type(RestartDecision& d) const {
  const bool stays = d.restart == RestartType::temporary ||
                     (d.restart == RestartType::transient && !d.exit.is_failure());
  d.checks.push_back({Rule::restart_type, stays});
  if (stays) d.verdict = Verdict::leave_stopped;
  return stays;
}

bool PoolEngine::Impl::consult_category(RestartDecision& d) const {
  auto rule = Rule::fatal_category;
  auto action = FatalAction::restart;
  if (d.exit.kind == ExitKind::timed_out) {
    rule = Rule::timeout;
    action = policy().on_timeout;
  } else if (d.exit.category == FailureCategory::fatal_config) {
    action = policy().on_fatal_config;
  } else if (d.exit.category == FailureCategory::fatal_bug) {
    action = policy().on_fatal_bug;
  }
  if (action == FatalAction::restart) return false;
  d.checks.push_back({rule, true});
  d.deciding_rule = rule;
  d.verdict = action == FatalAction::escalate ? Verdict::escalate : Verdict::leave_stopped;
  return true;
}

bool PoolEngine::Impl::consult_instance_limit(ChildIndex i, RestartDecision& d, TimePoint now) {
  if (!policy().restart_limit) return false;
  const auto& limit = *policy().restart_limit;
  auto& window = table_[i].more->window;
  const bool within = window.record(limit, now);
  const auto count = window.count(limit, now) + (within ? 0 : 1);
  d.checks.push_back({Rule::child_limit, !within, count, limit.max_restarts, limit.window});
  if (within) return false;
  d.deciding_rule = Rule::child_limit;
  switch (policy().on_exhausted) {
    case OnExhausted::escalate:
      d.verdict = Verdict::escalate;
      break;
    case OnExhausted::quarantine:
      d.verdict = Verdict::quarantine;
      break;
    case OnExhausted::stop:
      d.verdict = Verdict::leave_stopped;
      break;
  }
  emit_child(i, events::FuseTripped{"child", count, limit.max_restarts, limit.window});
  return true;
}

bool PoolEngine::Impl::consult_pool_limit(ChildIndex i, RestartDecision& d, TimePoint now) {
  if (!pool_.restart_limit) return false;
  const auto& limit = *pool_.restart_limit;
  const bool within = window_.record(limit, now);
  const auto count = window_.count(limit, now) + (within ? 0 : 1);
  d.checks.push_back({Rule::supervisor_limit, !within, count, limit.max_restarts, limit.window});
  if (within) return false;
  d.deciding_rule = Rule::supervisor_limit;
  d.verdict = Verdict::escalate;
  emit(table_[i].cause, events::FuseTripped{"supervisor", count, limit.max_restarts, limit.window});
  return true;
}

void PoolEngine::Impl::consult_severity(RestartDecision& d) const {
  const bool optional =
      policy().severity == SeverityClass::optional && d.verdict == Verdict::escalate;
  const bool critical = policy().severity == SeverityClass::critical &&
                        d.deciding_rule == Rule::child_limit && d.verdict != Verdict::escalate;
  if (!optional && !critical) return;
  d.checks.push_back({Rule::severity, true});
  d.verdict = optional ? Verdict::quarantine : Verdict::escalate;
}

// A budget only ever makes it later than the back-off does.
void PoolEngine::Impl::consult_delay(ChildIndex i, RestartDecision& d, TimePoint now) {
  auto& slot = table_[i];
  auto& more = *slot.more;
  auto due = now;
  if (const auto& budget = policy().budget) {
    if (!more.bucket) more.bucket.emplace(*budget);
    more.bucket->set(*budget);
    due = more.bucket->reserve(now);
    more.token_taken = true;
    RuleCheck check{Rule::child_budget, due > now};
    check.tokens = more.bucket->tokens(now);
    d.checks.push_back(check);
  }
  ++slot.in_a_row;
  const auto& skip = policy().no_backoff_for;
  const bool skipped = skip != FailureCategory::none && d.exit.category == skip;
  if (!skipped) {
    d.delay = backoff_delay(policy().backoff, slot.in_a_row, more.last_delay, random_);
    more.last_delay = d.delay;
  }
  const bool queued = due > now + d.delay;
  d.checks.push_back({Rule::backoff, !queued, slot.in_a_row, 0, Duration::zero()});
  d.deciding_rule = queued ? Rule::child_budget : Rule::backoff;
  if (queued) {
    d.delay = due - now;
    d.verdict = Verdict::restart_queued;
  } else {
    d.verdict = d.delay > Duration::zero() ? Verdict::restart_after : Verdict::restart_now;
  }
}

void PoolEngine::Impl::forgive_after_stable_run(ChildIndex i, TimePoint now) {
  auto& slot = table_[i];
  const auto after = policy().backoff.reset_after;
  if (slot.in_a_row == 0 || after <= Duration::zero() || now - slot.ready_at < after) return;
  slot.in_a_row = 0;
  slot.attempt = 0;
  slot.more->last_delay = {};
  slot.more->window.clear();
  emit_child(i, events::FuseReset{"stable for " + human(now - slot.ready_at)});
}

}  // namespace espalier::supervisor
