#include "espalier/supervisor/core/internal/engine_impl.hpp"
#include "espalier/supervisor/core/internal/restart_rules.hpp"

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
  const auto& policy = spec_of(i).policy;
  if (restart_rules::restart_type(d)) return d;
  bool stays = restart_rules::category(policy, d);
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
    restart_rules::severity(policy, d);
  } else {
    auto& child = children_[i];
    restart_rules::backoff(policy, child.in_a_row, child.last_delay, token_at, now_, random_, d);
  }
  return d;
}

bool SupervisorEngine::Impl::consult_child_limit(ChildIndex i, RestartDecision& d) {
  const auto& policy = spec_of(i).policy;
  if (!policy.restart_limit) return false;
  auto& window = children_[i].window;
  if (!restart_rules::limit(Rule::child_limit, *policy.restart_limit, window, now_, d)) {
    return false;
  }
  d.verdict = restart_rules::verdict_of(policy.on_exhausted);
  const auto& check = d.checks.back();
  emit_child(i, events::FuseTripped{"child", check.count, check.limit, check.window});
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
  if (!restart_rules::limit(Rule::supervisor_limit, *spec_.restart_limit, window_, now_, d)) {
    return false;
  }
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
  const auto& check = d.checks.back();
  emit(children_[i].cause,
       events::FuseTripped{"supervisor", check.count, check.limit, check.window});
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
    if (bucket != nullptr) at = std::max(at, restart_rules::budget(rule, *bucket, now_, d));
  }
  return at;
}

void SupervisorEngine::Impl::refund_budgets(ChildIndex i) {
  for (auto* bucket : {children_[i].bucket.get(), bucket_of(i), bucket_.get()}) {
    if (bucket != nullptr) bucket->refund();
  }
}

}  // namespace espalier::supervisor
