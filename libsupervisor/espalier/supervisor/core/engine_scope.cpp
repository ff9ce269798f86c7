#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>

namespace espalier::supervisor {

namespace {

// A nested supervisor must be done before its parent stops waiting for it.
Duration less_for_nested(Duration given) {
  return given - std::min(given / 8, Duration{std::chrono::milliseconds{250}});
}

}  // namespace

std::uint32_t SupervisorEngine::Impl::scope_begin(ChildIndex i) const {
  return spec_.strategy == Strategy::one_for_all ? 0 : position_[i];
}

// A failure while a scope is restarting begins it anew, wide enough for both.
void SupervisorEngine::Impl::begin_scope(ChildIndex trigger, Duration delay, TimePoint now) {
  const auto first = scope_begin(trigger);
  const bool under_way =
      scope_.step == Scope::Step::stopping || scope_.step == Scope::Step::waiting;
  scope_.trigger = trigger;
  scope_.first = under_way ? std::min(scope_.first, first) : first;
  scope_.due = under_way ? std::max(scope_.due, now + delay) : now + delay;
  if (!under_way) scope_.began = now;
  scope_.step = Scope::Step::stopping;
  scope_.cursor = static_cast<std::uint32_t>(order_.size());
  scope_.cause = children_[trigger].cause;
  sequence_.active = false;
  deadlines_.disarm(scope_slot());
  scope_.cause.caused_by =
      emit(scope_.cause, events::ScopeRestartStarted{order_.size() - scope_.first});
  pursue_scope(now);
}

bool SupervisorEngine::Impl::awaits_scope_restart(ChildIndex i) const {
  if (scope_.step == Scope::Step::starting) {
    return sequence_.active && position_[i] >= sequence_.next;
  }
  return scope_.step != Scope::Step::none && position_[i] >= scope_.first;
}

bool SupervisorEngine::Impl::in_stopping_scope(ChildIndex i) const {
  return scope_.step == Scope::Step::stopping && position_[i] >= scope_.first;
}

// Stops the members from the last to the first, one at a time, waits out the back-off, starts.
void SupervisorEngine::Impl::pursue_scope(TimePoint now) {
  if (mode_ == Mode::closing) return;
  if (scope_.step == Scope::Step::stopping) {
    while (scope_.cursor > scope_.first) {
      const auto i = order_[scope_.cursor - 1];
      auto& child = at(i);
      if (child.phase == Phase::starting || child.phase == Phase::running) {
        child.cause = scope_.cause;
        ask_to_stop(i, Asked::scope, StopCause::strategy, now);
      }
      if (is_live(child.phase)) return;
      if (child.phase == Phase::backing_off || child.phase == Phase::blocked) {
        cancel_restart(i, "superseded by the restart of its scope");
        child.phase = Phase::idle;
      }
      --scope_.cursor;
    }
    scope_.step = Scope::Step::waiting;
  }
  if (scope_.step != Scope::Step::waiting) return;
  if (now < scope_.due) {
    deadlines_.arm(scope_slot(), scope_.due);
    return;
  }
  scope_.step = Scope::Step::starting;
  begin_sequence(scope_.first, true);
  advance_sequence(now);
}

void SupervisorEngine::Impl::ask_to_stop(ChildIndex i, Asked asked, StopCause cause,
                                         TimePoint now) {
  auto& child = at(i);
  const auto& stop = spec_of(i).policy.stop;
  child.asked = asked;
  child.asked_at = now;
  child.satisfied = false;
  child.cause.caused_by = emit_child(i, events::ChildStopping{cause});
  if (child.cause.correlation == 0) child.cause.correlation = child.cause.caused_by;
  deadlines_.disarm(i);
  if (stop.kind == StopPolicy::Kind::brutal_kill) {
    abort_child(i, now);
    return;
  }
  child.phase = Phase::stopping;
  if (stop.kind == StopPolicy::Kind::timed) deadlines_.arm(i, now + stop.grace);
  std::optional<Duration> limit;
  if (stop.kind == StopPolicy::Kind::timed) limit = stop.grace;
  if (mode_ == Mode::closing) {
    const auto left = std::max(Duration::zero(), closing_.drain_until - now);
    limit = limit ? std::min(*limit, left) : left;
  }
  if (limit && spec_of(i).kind == ChildKind::supervisor) limit = less_for_nested(*limit);
  out_.emplace_back(effect::StopChild{i, child.generation, limit, child.cause});
}

void SupervisorEngine::Impl::abort_child(ChildIndex i, TimePoint now) {
  auto& child = at(i);
  child.phase = Phase::aborting;
  child.satisfied = false;
  const auto wait = mode_ == Mode::closing ? closing_.abort_wait : spec_.shutdown.abort_wait;
  child.cause.caused_by = emit_child(i, events::ChildAborted{});
  if (child.cause.correlation == 0) child.cause.correlation = child.cause.caused_by;
  deadlines_.arm(i, now + wait);
  const auto told = spec_of(i).kind == ChildKind::supervisor ? less_for_nested(wait) : wait;
  out_.emplace_back(effect::AbortChild{i, child.generation, told, child.cause});
}

// What may still live must not be started again: two attempts would run at once.
void SupervisorEngine::Impl::abandon(ChildIndex i) {
  auto& child = at(i);
  deadlines_.disarm(i);
  child.phase = Phase::abandoned;
  child.cause.caused_by = emit_child(i, events::ChildAbortFailed{});
  out_.emplace_back(effect::AbandonChild{i, child.generation});
  if (mode_ == Mode::closing) return;
  emit_child(i, events::ChildQuarantined{"its attempt " + std::to_string(child.generation) +
                                         " could not be ended and may still run"});
}

void SupervisorEngine::Impl::give_up_on(ChildIndex i, TimePoint now) {
  const bool was_start = children_[i].forced == ExitKind::timed_out;
  abandon(i);
  if (was_start && mode_ == Mode::starting && spec_.start_failure == StartFailure::abort) {
    fail_start(i, now);
    return;
  }
  pursue_scope(now);
  advance_sequence(now);
}

void SupervisorEngine::Impl::cancel_restart(ChildIndex i, const std::string& cause) {
  deadlines_.disarm(i);
  emit_child(i, events::RestartCancelled{cause});
}

}  // namespace espalier::supervisor
