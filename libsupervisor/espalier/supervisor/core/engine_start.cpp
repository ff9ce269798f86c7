#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

// What a start has to wait for, one after another: dependencies, gates, admission.
void SupervisorEngine::Impl::start_child(ChildIndex i) {
  auto& child = at(i);
  disarm(i);
  if (const auto missing = unready_dependency(i)) {
    if (child.phase == Phase::blocked) return;
    end_admission(i);  // What it waits for may need the place.
    become(i, Phase::blocked);
    emit_child(i, events::ChildBlocked{path_of(*missing)});
    return;
  }
  if (!spec_of(i).gates.empty() && !child.gates_open) {
    if (child.phase == Phase::gated) return rearm(i);
    const auto timeout = spec_of(i).policy.start_timeout;
    child.start_until = timeout > Duration::zero() ? now_ + timeout : never;
    become(i, Phase::gated);
    run_probe(i);
    rearm(i);
    return;
  }
  if (context_.admission && child.counted_restart && !child.admitted) {
    become(i, Phase::queued);
    child.admitted = true;
    out_.emplace_back(effect::RequestAdmission{i, child.generation + 1});
    return;
  }
  begin_attempt(i);
}

void SupervisorEngine::Impl::on(const input::Admitted& in) {
  if (in.child >= children_.size()) return;
  const auto& child = at(in.child);
  const bool awaited = child.phase == Phase::queued && child.admitted;
  if (!awaited || in.number != child.generation + 1) return;
  start_child(in.child);
  advance_sequence();
}

void SupervisorEngine::Impl::end_admission(ChildIndex i) {
  auto& child = children_[i];
  if (!std::exchange(child.admitted, false)) return;
  const auto number = child.phase == Phase::queued ? child.generation + 1 : child.generation;
  out_.emplace_back(effect::EndAdmission{i, number});
}

void SupervisorEngine::Impl::begin_attempt(ChildIndex i) {
  auto& child = children_[i];
  const auto& policy = spec_of(i).policy;
  child.asked = Asked::nobody;
  child.forced.reset();
  child.satisfied = false;
  child.restart_wanted = false;
  child.gates_open = false;
  child.by_primary = false;
  child.pid.reset();
  child.status.reset();
  child.started_at = now_;
  child.ready_at = now_;
  child.alive_until = child.run_until = never;
  child.start_until = policy.start_timeout > Duration::zero() ? now_ + policy.start_timeout : never;
  ++child.generation;
  ++child.attempt;
  become(i, Phase::starting);
  rearm(i);
  const auto sequence = emit_child(i, events::ChildStarting{});
  if (child.cause.correlation == 0) child.cause.correlation = sequence;
  child.cause.caused_by = sequence;
  out_.emplace_back(effect::StartChild{i, child.generation, child.attempt, child.cause});
}

void SupervisorEngine::Impl::on(const input::ChildRunning& in) {
  if (!is_current(in.child, in.generation)) return;
  auto& child = at(in.child);
  child.pid = in.pid;
  touch(in.child);
  emit_child(in.child, events::ChildRunning{in.pid});
  if (child.phase != Phase::starting) return;
  const auto& policy = spec_of(in.child).policy;
  if (policy.readiness == Readiness::immediate) become_ready(in.child);
  if (policy.readiness == Readiness::probe) {
    schedule_probe(in.child, now_ + policy.readiness_probe->initial_delay);
  }
}

void SupervisorEngine::Impl::on(const input::ChildReady& in) {
  if (!is_current(in.child, in.generation)) return;
  if (at(in.child).phase != Phase::starting) return;
  if (spec_of(in.child).policy.readiness == Readiness::explicit_report) become_ready(in.child);
}

void SupervisorEngine::Impl::become_ready(ChildIndex i) {
  auto& child = at(i);
  const auto& policy = spec_of(i).policy;
  end_admission(i);
  child.satisfied = true;
  child.tentative = false;
  child.ready_at = now_;
  child.start_until = never;
  if (policy.watchdog > Duration::zero()) child.alive_until = now_ + policy.watchdog;
  if (policy.run_timeout > Duration::zero()) child.run_until = now_ + policy.run_timeout;
  become(i, Phase::running);
  child.probe.reset();
  if (const auto& check = policy.health_check) {
    schedule_probe(i, now_ + std::max(check->initial_delay, check->interval));
  }
  rearm(i);
  emit_child(i, events::ChildReady{now_ - child.started_at});
  if (child.counted_restart) {
    child.counted_restart = false;
    const auto& limit = policy.restart_limit;
    emit_child(i, events::ChildRestarted{limit ? child.window.count(*limit, now_) : 0,
                                         limit ? limit->max_restarts : 0, child.restarts_total});
  }
  child.cause = {};  // The incident is over; the next exit begins a new one.
  release_dependants(i);
  start_linked_sidecars(i);
  advance_sequence();
}

void SupervisorEngine::Impl::on(const input::ChildAlive& in) {
  if (!is_current(in.child, in.generation)) return;
  auto& child = at(in.child);
  if (child.alive_until == never) return;
  child.alive_until = std::max(child.alive_until, now_ + spec_of(in.child).policy.watchdog);
}

void SupervisorEngine::Impl::on(const input::ChildExtend& in) {
  if (!is_current(in.child, in.generation)) return;
  auto& child = at(in.child);
  const auto until = now_ + in.by;
  if (child.alive_until != never) child.alive_until = std::max(child.alive_until, until);
  if (child.phase == Phase::starting && child.start_until != never) {
    child.start_until = std::max(child.start_until, until);
    rearm(in.child);
  }
  const bool ending = child.phase == Phase::stopping || child.phase == Phase::aborting;
  const auto due = deadlines_.at(slot_of(in.child));
  if (ending && due && *due < until) arm(in.child, until);
}

void SupervisorEngine::Impl::on(const input::ChildStatus& in) {
  if (!is_current(in.child, in.generation)) return;
  at(in.child).status = std::make_shared<const std::string>(in.text);
  touch(in.child);
  emit_child(in.child, events::ChildStatusText{in.text});
}

std::optional<ChildIndex> SupervisorEngine::Impl::unready_dependency(ChildIndex i) {
  if (dependencies_.empty()) return std::nullopt;
  for (const auto d : dependencies_[i]) {
    if (!at(d).satisfied) return d;
  }
  return std::nullopt;
}

void SupervisorEngine::Impl::release_dependants(ChildIndex i) {
  if (dependants_.empty() || mode_ == Mode::closing) return;
  const auto dependants = dependants_[i];
  for (const auto d : dependants) {
    if (at(d).phase == Phase::blocked && !unready_dependency(d)) start_child(d);
  }
}

void SupervisorEngine::Impl::begin_sequence(std::vector<ChildIndex> members, bool is_restart) {
  sequence_ = {true, 0, std::nullopt, is_restart, std::move(members)};
}

void SupervisorEngine::Impl::advance_sequence() {
  while (sequence_.active) {
    if (sequence_.awaited) {
      const auto phase = at(*sequence_.awaited).phase;
      // One that ran into its start time-out is still on its way out.
      const bool under_way = phase == Phase::starting || phase == Phase::aborting ||
                             phase == Phase::gated || phase == Phase::queued;
      if (under_way) return;
      sequence_.awaited.reset();
    }
    if (sequence_.next == sequence_.members.size()) {
      end_sequence();
      continue;
    }
    const auto i = sequence_.members[sequence_.next++];
    if (i == nobody_there) continue;
    if (!sequence_.is_restart) sequence_.awaited = i;  // It may be under way already.
    if (!may_start_in_sequence(i)) continue;
    auto& child = at(i);
    child.cause = sequence_.is_restart ? scope_.cause : cause_;
    const bool was_failure = scope_.trigger != nobody_there;
    child.counted_restart = sequence_.is_restart && was_failure && shown(child.generation) > 0;
    if (child.counted_restart && i != scope_.trigger) ++child.restarts_total;  // Its own counted.
    start_child(i);
    sequence_.awaited = i;
  }
}

bool SupervisorEngine::Impl::may_start_in_sequence(ChildIndex i) {
  const auto& child = at(i);
  if (child.held || (child.phase != Phase::idle && child.phase != Phase::stopped)) return false;
  if (child.intent != Intent::run || orphan_below(i)) return false;
  if (!sequence_.is_restart) return child.phase == Phase::idle;
  return shown(child.generation) == 0 || spec_of(i).policy.restart != RestartType::temporary;
}

void SupervisorEngine::Impl::end_sequence() {
  const bool was_restart = std::exchange(sequence_.is_restart, false);
  sequence_.active = false;
  sequence_.members.clear();
  if (scope_.step == Scope::Step::starting) {
    scope_.step = Scope::Step::none;
    scope_.members.clear();
    if (scope_.reload) {
      finish_reload();
    } else {
      emit(scope_.cause, events::ScopeRestartCompleted{now_ - scope_.began});
    }
  }
  if (mode_ != Mode::starting) return;
  if (was_restart) {
    begin_sequence(order_, false);  // The first start goes on with those it had not come to.
    return;
  }
  mode_ = Mode::serving;
  emit(cause_, events::TreeStarted{now_ - started_at_});
  out_.emplace_back(effect::TreeUp{});
}

}  // namespace espalier::supervisor
