#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace espalier::supervisor {

// Always all rules, always in this order; the first that says no decides.
RestartDecision SupervisorEngine::Impl::decide(ChildIndex i, Phase before) {
  RestartDecision d;
  d.exit = *children_[i].last_exit;
  d.restart = spec_of(i).policy.restart;
  d.strategy = strategy_of(i);
  if (mode_ == Mode::starting && before == Phase::starting && d.exit.is_failure() &&
      spec_.start_failure == StartFailure::abort) {
    d.checks.push_back({Rule::start_failure, true});
    d.deciding_rule = Rule::start_failure;
    d.verdict = Verdict::escalate;
    return d;
  }
  if (consult_restart_type(d)) return d;
  bool stays = consult_category(i, d);
  auto token_at = now_;
  if (!stays && unready_dependency(i)) {
    d.checks.push_back({Rule::dependency_ready, true});
  } else if (!stays) {
    token_at = consult_budgets(i, d);
    stays =
        consult_child_limit(i, d) || consult_group_limit(i, d) || consult_supervisor_limit(i, d);
    if (stays) refund_budgets(i);
  }
  if (stays) {
    consult_severity(i, d);
  } else {
    consult_backoff(i, d, token_at);
  }
  return d;
}

bool SupervisorEngine::Impl::consult_restart_type(RestartDecision& d) const {
  const bool stays = d.restart == RestartType::temporary ||
                     (d.restart == RestartType::transient && !d.exit.is_failure());
  d.checks.push_back({Rule::restart_type, stays});
  if (stays) d.verdict = Verdict::leave_stopped;
  return stays;
}

bool SupervisorEngine::Impl::consult_category(ChildIndex i, RestartDecision& d) {
  const auto& policy = spec_of(i).policy;
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

bool SupervisorEngine::Impl::consult_child_limit(ChildIndex i, RestartDecision& d) {
  const auto& policy = spec_of(i).policy;
  if (!policy.restart_limit) return false;
  const auto& limit = *policy.restart_limit;
  auto& window = children_[i].window;
  const bool within = window.record(limit, now_);
  const auto count = window.count(limit, now_) + (within ? 0 : 1);
  d.checks.push_back({Rule::child_limit, !within, count, limit.max_restarts, limit.window, {}});
  if (within) return false;
  d.deciding_rule = Rule::child_limit;
  switch (policy.on_exhausted) {
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

bool SupervisorEngine::Impl::consult_group_limit(ChildIndex i, RestartDecision& d) {
  const auto index = children_[i].group;
  if (index < 0) return false;
  auto& group = groups_[static_cast<std::size_t>(index)];
  RuleCheck check{Rule::group_limit, group.held};
  if (const auto& limit = group.spec.restart_limit; limit && !group.held) {
    check.decided = !group.window.record(*limit, now_);
    check.count = group.window.count(*limit, now_) + (check.decided ? 1 : 0);
    check.limit = limit->max_restarts;
    check.window = limit->window;
    if (check.decided) {
      emit_child(i, events::FuseTripped{"group " + group.spec.name, check.count, check.limit,
                                        check.window});
      hold_group(index, "its restart limit is used up by " + path_of(i));
    }
  }
  const bool stays = check.decided;
  if (stays || check.limit > 0) d.checks.push_back(std::move(check));
  if (!stays) return false;
  d.deciding_rule = Rule::group_limit;
  d.verdict = Verdict::hold_group;
  return true;
}

// Faults flow from the group that is depended on to those that depend on it.
void SupervisorEngine::Impl::hold_group(std::int32_t index, const std::string& reason) {
  auto& group = groups_[static_cast<std::size_t>(index)];
  if (std::exchange(group.held, true)) return;
  emit(Cause{}, events::GroupHeld{group.spec.name, reason});
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (const auto& edge : groups_[g].spec.depends_on) {
      if (edge.group != group.spec.name || groups_[g].held) continue;
      const auto why = "it depends on the group " + group.spec.name + ", which is held";
      if (edge.propagation == Propagation::full) hold_group(static_cast<std::int32_t>(g), why);
      if (edge.propagation == Propagation::escalate_only) {
        emit(Cause{}, events::Escalated{"group " + groups_[g].spec.name, why});
      }
    }
  }
}

bool SupervisorEngine::Impl::consult_supervisor_limit(ChildIndex i, RestartDecision& d) {
  if (!spec_.restart_limit) return false;
  const auto& limit = *spec_.restart_limit;
  const bool within = window_.record(limit, now_);
  const auto count = window_.count(limit, now_) + (within ? 0 : 1);
  d.checks.push_back(
      {Rule::supervisor_limit, !within, count, limit.max_restarts, limit.window, {}});
  if (within) return false;
  d.deciding_rule = Rule::supervisor_limit;
  switch (spec_.escalation) {
    case EscalationPolicy::escalate_to_parent:
      d.verdict = Verdict::escalate;
      break;
    case EscalationPolicy::shutdown_tree:
      d.verdict = Verdict::shutdown_tree;
      break;
    case EscalationPolicy::quarantine_scope:
      d.verdict = Verdict::quarantine;
      break;
  }
  emit(children_[i].cause,
       events::FuseTripped{"supervisor", count, limit.max_restarts, limit.window});
  return true;
}

TokenBucket* SupervisorEngine::Impl::bucket_of(ChildIndex i) {
  const auto group = children_[i].group;
  return group < 0 ? nullptr : groups_[static_cast<std::size_t>(group)].bucket.get();
}

// When the last of the tokens it needs is there.
TimePoint SupervisorEngine::Impl::consult_budgets(ChildIndex i, RestartDecision& d) {
  auto at = now_;
  const std::array<std::pair<Rule, TokenBucket*>, 3> buckets{
      {{Rule::child_budget, children_[i].bucket.get()},
       {Rule::group_budget, bucket_of(i)},
       {Rule::supervisor_budget, bucket_.get()}}};
  for (const auto& [rule, bucket] : buckets) {
    if (bucket == nullptr) continue;
    const auto there = bucket->reserve(now_);
    at = std::max(at, there);
    d.checks.push_back({rule, there > now_, 0, 0, Duration::zero(), bucket->tokens(now_)});
  }
  return at;
}

void SupervisorEngine::Impl::refund_budgets(ChildIndex i) {
  for (auto* bucket : {children_[i].bucket.get(), bucket_of(i), bucket_.get()}) {
    if (bucket != nullptr) bucket->refund();
  }
}

// A token that comes later than the back-off ends makes the restart a queued one.
void SupervisorEngine::Impl::consult_backoff(ChildIndex i, RestartDecision& d, TimePoint token_at) {
  auto& child = children_[i];
  const auto& policy = spec_of(i).policy;
  const bool exempt =
      policy.no_backoff_for != FailureCategory::none && d.exit.category == policy.no_backoff_for;
  if (!exempt) {
    ++child.in_a_row;
    d.delay = backoff_delay(policy.backoff, child.in_a_row, child.last_delay, random_);
    child.last_delay = d.delay;
  }
  const bool queued = token_at - now_ > d.delay;
  d.checks.push_back(
      {Rule::backoff, !queued, exempt ? 0 : child.in_a_row, 0, Duration::zero(), {}});
  d.deciding_rule = Rule::backoff;
  d.verdict = d.delay > Duration::zero() ? Verdict::restart_after : Verdict::restart_now;
  if (!queued) return;
  d.delay = token_at - now_;
  d.verdict = Verdict::restart_queued;
  for (const auto& check : d.checks) {
    if (check.tokens && check.decided) d.deciding_rule = check.rule;
  }
}

// An optional child never takes its supervisor down; a critical one that may not restart does.
void SupervisorEngine::Impl::consult_severity(ChildIndex i, RestartDecision& d) const {
  const auto severity = spec_of(i).policy.severity;
  const bool gives_up = d.verdict == Verdict::escalate || d.verdict == Verdict::shutdown_tree;
  const bool by_limit = d.deciding_rule == Rule::child_limit;
  if (severity == SeverityClass::optional && gives_up) {
    d.verdict = Verdict::quarantine;
  } else if (severity == SeverityClass::critical && by_limit && !gives_up) {
    d.verdict = Verdict::escalate;
  } else {
    return;
  }
  d.checks.push_back({Rule::severity, true});
  d.deciding_rule = Rule::severity;
}

}  // namespace espalier::supervisor
