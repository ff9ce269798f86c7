#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>

namespace espalier::supervisor {

void SupervisorEngine::Impl::start_child(ChildIndex i, TimePoint now) {
  auto& child = at(i);
  deadlines_.disarm(i);
  if (!dependencies_satisfied(i)) {
    child.phase = Phase::blocked;
    return;
  }
  const auto& policy = spec_of(i).policy;
  child.phase = Phase::starting;
  child.asked = Asked::nobody;
  child.forced.reset();
  child.satisfied = false;
  child.restart_wanted = false;
  child.started_at = now;
  child.ready_at = now;
  ++child.generation;
  ++child.attempt;
  if (policy.start_timeout > Duration::zero()) deadlines_.arm(i, now + policy.start_timeout);
  const auto sequence = emit_child(i, events::ChildStarting{});
  if (child.cause.correlation == 0) child.cause.correlation = sequence;
  child.cause.caused_by = sequence;
  out_.emplace_back(effect::StartChild{i, child.generation, child.attempt, child.cause});
}

void SupervisorEngine::Impl::on(const input::ChildRunning& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  const auto& child = at(in.child);
  emit_child(in.child, events::ChildRunning{in.pid});
  if (child.phase != Phase::starting) return;
  if (spec_of(in.child).policy.readiness == Readiness::immediate) become_ready(in.child, now);
}

void SupervisorEngine::Impl::on(const input::ChildReady& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  if (at(in.child).phase != Phase::starting) return;
  if (spec_of(in.child).policy.readiness == Readiness::explicit_report) become_ready(in.child, now);
}

void SupervisorEngine::Impl::become_ready(ChildIndex i, TimePoint now) {
  auto& child = at(i);
  child.phase = Phase::running;
  child.satisfied = true;
  child.ready_at = now;
  deadlines_.disarm(i);
  const auto watchdog = spec_of(i).policy.watchdog;
  if (watchdog > Duration::zero()) {
    child.alive_until = now + watchdog;
    deadlines_.arm(i, child.alive_until);
  }
  emit_child(i, events::ChildReady{now - child.started_at});
  if (child.counted_restart) {
    child.counted_restart = false;
    const auto& limit = spec_of(i).policy.restart_limit;
    emit_child(i, events::ChildRestarted{limit ? child.window.count(*limit, now) : 0,
                                         limit ? limit->max_restarts : 0, child.restarts_total});
  }
  child.cause = {};  // The incident is over; the next exit begins a new one.
  release_dependants(i, now);
  advance_sequence(now);
}

void SupervisorEngine::Impl::on(const input::ChildAlive& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  auto& child = at(in.child);
  child.alive_until = std::max(child.alive_until, now + spec_of(in.child).policy.watchdog);
}

void SupervisorEngine::Impl::on(const input::ChildExtend& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  auto& child = at(in.child);
  child.alive_until = std::max(child.alive_until, now + in.by);
  const auto due = deadlines_.at(in.child);
  if (due && *due < now + in.by) deadlines_.arm(in.child, now + in.by);
}

void SupervisorEngine::Impl::on(const input::ChildStatus& in, TimePoint) {
  if (!is_current(in.child, in.generation)) return;
  emit_child(in.child, events::ChildStatusText{in.text});
}

bool SupervisorEngine::Impl::dependencies_satisfied(ChildIndex i) {
  if (dependencies_.empty()) return true;
  return std::all_of(dependencies_[i].begin(), dependencies_[i].end(),
                     [&](auto d) { return at(d).satisfied; });
}

void SupervisorEngine::Impl::release_dependants(ChildIndex i, TimePoint now) {
  if (dependants_.empty() || mode_ == Mode::closing) return;
  for (const auto d : dependants_[i]) {
    if (at(d).phase == Phase::blocked && dependencies_satisfied(d)) start_child(d, now);
  }
}

void SupervisorEngine::Impl::begin_sequence(std::uint32_t first, bool is_restart) {
  sequence_ = {true, first, std::nullopt, is_restart};
}

void SupervisorEngine::Impl::advance_sequence(TimePoint now) {
  while (sequence_.active) {
    if (sequence_.awaited) {
      const auto phase = at(*sequence_.awaited).phase;
      // One that ran into its start time-out is still on its way out.
      if (phase == Phase::starting || phase == Phase::aborting) return;
      sequence_.awaited.reset();
    }
    if (sequence_.next == order_.size()) {
      end_sequence(now);
      return;
    }
    const auto i = order_[sequence_.next++];
    if (!may_start_in_sequence(i)) continue;
    auto& child = at(i);
    child.cause = sequence_.is_restart ? scope_.cause : cause_;
    child.counted_restart = sequence_.is_restart && child.generation > 0;
    if (child.counted_restart && i != scope_.trigger) ++child.restarts_total;  // Its own counted.
    start_child(i, now);
    sequence_.awaited = i;
  }
}

bool SupervisorEngine::Impl::may_start_in_sequence(ChildIndex i) {
  const auto& child = at(i);
  if (child.held || (child.phase != Phase::idle && child.phase != Phase::stopped)) return false;
  if (!sequence_.is_restart) return child.phase == Phase::idle;
  return child.generation == 0 || spec_of(i).policy.restart != RestartType::temporary;
}

void SupervisorEngine::Impl::end_sequence(TimePoint now) {
  sequence_.active = false;
  if (scope_.step == Scope::Step::starting) {
    scope_.step = Scope::Step::none;
    emit(scope_.cause, events::ScopeRestartCompleted{now - scope_.began});
  }
  if (mode_ != Mode::starting) return;
  mode_ = Mode::serving;
  emit(cause_, events::TreeStarted{now - started_at_});
  out_.emplace_back(effect::TreeUp{});
}

}  // namespace espalier::supervisor
