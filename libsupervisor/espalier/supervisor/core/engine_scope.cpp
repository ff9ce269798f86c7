#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

// A nested supervisor must be done before its parent stops waiting for it.
Duration less_for_nested(Duration given) {
  return given - std::min(given / 8, Duration{std::chrono::milliseconds{250}});
}

bool is_tree(ChildKind kind) {
  return kind == ChildKind::supervisor || kind == ChildKind::pool;
}

}  // namespace

void SupervisorEngine::Impl::sort_by_position(std::vector<ChildIndex>& members) const {
  std::sort(members.begin(), members.end(),
            [&](auto a, auto b) { return position_[a] < position_[b]; });
}

// Who restarts with the child, in start order: limited to its group where it has one.
std::vector<ChildIndex> SupervisorEngine::Impl::scope_of(ChildIndex i) {
  const auto strategy = strategy_of(i);
  if (strategy == Strategy::one_for_one) return {i};
  std::vector<ChildIndex> members;
  if (strategy == Strategy::rest_for_one && spec_.restart_dependents_only) {
    members.push_back(i);
    for (std::size_t next = 0; next < members.size() && !dependants_.empty(); ++next) {
      for (const auto d : dependants_[members[next]]) {
        if (std::find(members.begin(), members.end(), d) == members.end()) members.push_back(d);
      }
    }
  } else if (children_[i].group >= 0) {
    members = groups_[static_cast<std::size_t>(children_[i].group)].members;
  } else {
    members.reserve(order_.size() - holes_);
    const auto first = strategy == Strategy::one_for_all ? 0 : position_[i];
    for (auto p = first; p < order_.size(); ++p) {
      if (order_[p] != nobody_there) members.push_back(order_[p]);
    }
    return members;
  }
  const auto group = children_[i].group;
  std::erase_if(members, [&](auto m) {
    const bool before = strategy == Strategy::rest_for_one && position_[m] < position_[i];
    return before || (group >= 0 && children_[m].group != group);
  });
  sort_by_position(members);
  return members;
}

// A failure while a scope is restarting begins it anew, wide enough for both.
void SupervisorEngine::Impl::begin_scope(ChildIndex trigger, Duration delay) {
  auto members = scope_of(trigger);
  const bool under_way =
      scope_.step != Scope::Step::none && (scope_.step != Scope::Step::starting || scope_.reload);
  if (scope_.step == Scope::Step::starting && !scope_.reload) {
    // Members it has not come to yet must still come up.
    for (auto n = sequence_.next; n < sequence_.members.size(); ++n)
      members.push_back(sequence_.members[n]);
  }
  if (under_way) members.insert(members.end(), scope_.members.begin(), scope_.members.end());
  sort_by_position(members);
  members.erase(std::unique(members.begin(), members.end()), members.end());
  scope_.trigger = trigger;
  scope_.is_quarantine = false;
  scope_.members = std::move(members);
  scope_.due = under_way ? std::max(scope_.due, now_ + delay) : now_ + delay;
  if (!under_way) scope_.began = now_;
  scope_.step = Scope::Step::stopping;
  scope_.cursor = scope_.members.size();
  scope_.cause = children_[trigger].cause;
  sequence_.active = false;
  deadlines_.disarm(scope_slot);
  scope_.cause.caused_by = emit(scope_.cause, events::ScopeRestartStarted{scope_.members.size()});
  pursue_scope();
}

bool SupervisorEngine::Impl::is_member_of_scope(ChildIndex i) const {
  const auto& members = scope_.members;
  const auto place = std::lower_bound(members.begin(), members.end(), i,
                                      [&](auto a, auto b) { return position_[a] < position_[b]; });
  return place != members.end() && *place == i;
}

bool SupervisorEngine::Impl::awaits_sequence(ChildIndex i) const {
  if (!sequence_.active) return false;
  const auto& members = sequence_.members;
  const auto from = members.begin() + static_cast<std::ptrdiff_t>(sequence_.next);
  return std::find(from, members.end(), i) != members.end();
}

bool SupervisorEngine::Impl::awaits_scope_restart(ChildIndex i) const {
  if (scope_.step == Scope::Step::starting) return awaits_sequence(i);
  return scope_.step != Scope::Step::none && !scope_.is_quarantine && is_member_of_scope(i);
}

bool SupervisorEngine::Impl::in_stopping_scope(ChildIndex i) const {
  const bool brought_up = scope_.is_quarantine && children_[i].intent == Intent::run;
  return scope_.step == Scope::Step::stopping && is_member_of_scope(i) && !brought_up;
}

// Stops the members from the last to the first, one at a time, waits out the back-off, starts.
void SupervisorEngine::Impl::pursue_scope() {
  if (mode_ == Mode::closing) return;
  if (scope_.step == Scope::Step::stopping) {
    while (scope_.cursor > 0) {
      const auto i = scope_.members[scope_.cursor - 1];
      auto& child = at(i);
      const bool brought_up = scope_.is_quarantine && child.intent == Intent::run;
      const bool up = child.phase == Phase::starting || child.phase == Phase::running ||
                      child.phase == Phase::suspended;
      if (up && !brought_up) {
        child.cause = scope_.cause;
        const auto why = scope_.is_quarantine ? StopCause::policy : StopCause::strategy;
        ask_to_stop(i, Asked::scope, why);
      }
      if (brought_up) {
        --scope_.cursor;
        continue;
      }
      if (is_live(child.phase)) return;
      if (is_waiting(child.phase)) {
        cancel_wait(i, "superseded by the restart of its scope");
        become(i, Phase::idle);
      }
      if (child.phase == Phase::idle && child.intent == Intent::quarantined) land(i);
      --scope_.cursor;
    }
    scope_.step = Scope::Step::waiting;
    if (scope_.is_quarantine && !scope_.reload) {
      scope_ = {};
      if (mode_ == Mode::starting) begin_sequence(order_, false);
      advance_sequence();
      return;
    }
  }
  if (scope_.step != Scope::Step::waiting) return;
  if (now_ < scope_.due) {
    deadlines_.arm(scope_slot, scope_.due);
    return;
  }
  start_scope();
}

void SupervisorEngine::Impl::start_scope() {
  scope_.step = Scope::Step::starting;
  if (scope_.reload) {
    adopt_reload();
    sort_by_position(scope_.members);
  }
  begin_sequence(scope_.members, true);
  advance_sequence();
}

void SupervisorEngine::Impl::ask_to_stop(ChildIndex i, Asked asked, StopCause cause) {
  auto& child = at(i);
  const auto stop = spec_of(i).policy.stop;
  cancel_probe(i);
  child.asked = asked;
  child.asked_at = now_;
  child.satisfied = false;
  child.cause.caused_by = emit_child(i, events::ChildStopping{cause});
  if (child.cause.correlation == 0) child.cause.correlation = child.cause.caused_by;
  disarm(i);
  if (stop.kind == StopPolicy::Kind::brutal_kill) {
    abort_child(i);
    return;
  }
  if (stop.kind == StopPolicy::Kind::timed) arm(i, now_ + stop.grace);
  std::optional<Duration> limit;
  if (stop.kind == StopPolicy::Kind::timed) limit = stop.grace;
  if (mode_ == Mode::closing) {
    const auto left = std::max(Duration::zero(), closing_.drain_until - now_);
    limit = limit ? std::min(*limit, left) : left;
  }
  if (limit && is_tree(spec_of(i).kind)) limit = less_for_nested(*limit);
  become(i, Phase::stopping);
  out_.emplace_back(effect::StopChild{i, child.generation, limit, child.cause});
}

void SupervisorEngine::Impl::abort_child(ChildIndex i) {
  auto& child = at(i);
  cancel_probe(i);
  child.satisfied = false;
  const auto wait = mode_ == Mode::closing ? closing_.abort_wait : spec_.shutdown.abort_wait;
  child.cause.caused_by = emit_child(i, events::ChildAborted{});
  if (child.cause.correlation == 0) child.cause.correlation = child.cause.caused_by;
  become(i, Phase::aborting);
  arm(i, now_ + wait);
  const auto told = is_tree(spec_of(i).kind) ? less_for_nested(wait) : wait;
  out_.emplace_back(effect::AbortChild{i, child.generation, told, child.cause});
}

// What may still live must not be started again: two attempts would run at once.
void SupervisorEngine::Impl::abandon(ChildIndex i) {
  auto& child = at(i);
  disarm(i);
  end_admission(i);
  child.cause.caused_by = emit_child(i, events::ChildAbortFailed{});
  become(i, Phase::abandoned);
  out_.emplace_back(effect::AbandonChild{i, child.generation});
  if (mode_ == Mode::closing) return;
  emit_child(i, events::ChildQuarantined{"its attempt " + std::to_string(shown(child.generation)) +
                                         " could not be ended and may still run"});
}

void SupervisorEngine::Impl::give_up_on(ChildIndex i) {
  const auto& child = children_[i];
  const bool was_start = child.forced == ExitKind::timed_out && child.ready_at == child.started_at;
  abandon(i);
  if (was_start && mode_ == Mode::starting && spec_.start_failure == StartFailure::abort) {
    fail_start(i);
    return;
  }
  pursue_scope();
  advance_sequence();
}

// A restart or start that was due, and what it had asked for.
void SupervisorEngine::Impl::cancel_wait(ChildIndex i, const std::string& cause) {
  cancel_probe(i);
  end_admission(i);
  disarm(i);
  emit_child(i, events::RestartCancelled{cause});
}

}  // namespace espalier::supervisor
