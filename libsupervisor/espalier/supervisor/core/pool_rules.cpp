#include "espalier/supervisor/core/internal/pool_impl.hpp"
#include "espalier/supervisor/core/internal/restart_rules.hpp"

namespace espalier::supervisor {

// The rules of a supervisor, in its order; a pool has no groups and no dependencies.
RestartDecision PoolEngine::Impl::decide(ChildIndex i, TimePoint now) {
  RestartDecision d;
  d.exit = *table_[i].more->last_exit;
  d.restart = policy().restart;
  if (restart_rules::restart_type(d)) return d;
  bool stays = restart_rules::category(policy(), d);
  auto token_at = now;
  if (!stays) {
    token_at = consult_budget(i, d, now);
    stays = consult_instance_limit(i, d, now) || consult_pool_limit(i, d, now);
    if (stays && policy().budget) table_[i].more->bucket->refund();
  }
  auto& slot = table_[i];
  if (stays) {
    restart_rules::severity(policy(), d);
  } else {
    restart_rules::backoff(policy(), slot.in_a_row, slot.more->last_delay, token_at, now, random_,
                           d);
  }
  return d;
}

TimePoint PoolEngine::Impl::consult_budget(ChildIndex i, RestartDecision& d, TimePoint now) {
  const auto& budget = policy().budget;
  if (!budget) return now;
  auto& bucket = table_[i].more->bucket;
  if (!bucket) bucket.emplace(*budget);
  bucket->set(*budget);  // It may have changed since.
  return restart_rules::budget(Rule::child_budget, *bucket, now, d);
}

bool PoolEngine::Impl::consult_instance_limit(ChildIndex i, RestartDecision& d, TimePoint now) {
  const auto& limit = policy().restart_limit;
  if (!limit) return false;
  auto& window = table_[i].more->window;
  if (!restart_rules::limit(Rule::child_limit, *limit, window, now, d)) return false;
  d.verdict = restart_rules::verdict_of(policy().on_exhausted);
  const auto& check = d.checks.back();
  emit_child(i, events::FuseTripped{"child", check.count, check.limit, check.window});
  return true;
}

bool PoolEngine::Impl::consult_pool_limit(ChildIndex i, RestartDecision& d, TimePoint now) {
  const auto& limit = pool_.restart_limit;
  if (!limit) return false;
  if (!restart_rules::limit(Rule::supervisor_limit, *limit, window_, now, d)) return false;
  d.verdict = Verdict::escalate;
  const auto& check = d.checks.back();
  emit(table_[i].cause, events::FuseTripped{"supervisor", check.count, check.limit, check.window});
  return true;
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
