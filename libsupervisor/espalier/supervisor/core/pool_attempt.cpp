#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

bool has_subtree(const ChildSpec& spec) {
  return spec.kind == ChildKind::supervisor || spec.kind == ChildKind::pool;
}

// A nested supervisor must be done before its parent stops waiting for it.
Duration less_for_nested(Duration given) {
  return given - std::min(given / 8, Duration{std::chrono::milliseconds{250}});
}

}  // namespace

ChildIndex PoolEngine::Impl::create(TimePoint now) {
  const auto i = table_.create();
  deadlines_.grow(table_.size());
  enter(i, Phase::idle, now);
  out_.emplace_back(effect::ChildCreated{i});
  return i;
}

// What an automatic restart passes before it starts: back-off or budget, the tree, the gates.
void PoolEngine::Impl::proceed(ChildIndex i, TimePoint now) {
  if (!context_.admission) {
    pass_gates(i, now);
    return;
  }
  enter(i, Phase::queued, now);
  details(i).admission = ++last_admission_;
  out_.emplace_back(effect::RequestAdmission{i, last_admission_});
}

void PoolEngine::Impl::on(const input::Admitted& in, TimePoint now) {
  if (in.child >= table_.size()) return;
  const auto& slot = at(in.child);
  const bool waits = slot.phase == Phase::queued && slot.more && in.number != 0 &&
                     slot.more->admission == in.number;
  if (waits) pass_gates(in.child, now);
}

void PoolEngine::Impl::pass_gates(ChildIndex i, TimePoint now) {
  if (spec_->gates.empty()) {
    start(i, now);
    return;
  }
  enter(i, Phase::gated, now);
  details(i).probe_failures = 0;
  run_probe(i, input::ProbePurpose::gate);
}

void PoolEngine::Impl::start(ChildIndex i, TimePoint now) {
  enter(i, Phase::starting, now);
  auto& slot = table_[i];
  slot.intent = Intent::run;
  slot.asked = Asked::nobody;
  slot.forced.reset();
  slot.was_ready = false;
  slot.restart_wanted = false;
  slot.ready_at = now;
  ++slot.generation;
  ++slot.attempt;
  if (policy().start_timeout > Duration::zero()) slot.until = now + policy().start_timeout;
  if (policy().readiness == Readiness::probe && policy().readiness_probe) {
    details(i).probe_at = now + policy().readiness_probe->initial_delay;
    details(i).probe_failures = 0;
  }
  arm(i);
  const auto sequence = emit_child(i, events::ChildStarting{});
  if (slot.cause.correlation == 0) slot.cause.correlation = sequence;
  slot.cause.caused_by = sequence;
  out_.emplace_back(effect::StartChild{i, slot.generation, slot.attempt, slot.cause});
}

void PoolEngine::Impl::on(const input::ChildRunning& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  if (in.pid) details(in.child).pid = in.pid;
  emit_child(in.child, events::ChildRunning{in.pid});
  touch(in.child);
  if (table_[in.child].phase != Phase::starting) return;
  if (policy().readiness == Readiness::immediate) become_ready(in.child, now);
}

void PoolEngine::Impl::on(const input::ChildReady& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  if (table_[in.child].phase != Phase::starting) return;
  if (policy().readiness == Readiness::explicit_report) become_ready(in.child, now);
}

void PoolEngine::Impl::become_ready(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  const auto took = now - slot.since;
  end_probes(i);
  end_admission(i);
  enter(i, Phase::running, now);
  slot.ready_at = now;
  slot.was_ready = true;
  slot.trial = false;
  begin_clocks(i, now);
  emit_child(i, events::ChildReady{took});
  if (slot.counted_restart) {
    slot.counted_restart = false;
    const auto& limit = policy().restart_limit;
    const auto in_window = limit && slot.more ? slot.more->window.count(*limit, now) : 0;
    emit_child(
        i, events::ChildRestarted{in_window, limit ? limit->max_restarts : 0, slot.restarts_total});
  }
  slot.cause = {};  // The incident is over; the next exit begins a new one.
  reached(i, Aim::up);
  settle_initial(i, now);
}

void PoolEngine::Impl::begin_clocks(ChildIndex i, TimePoint now) {
  if (policy().run_timeout > Duration::zero()) table_[i].until = now + policy().run_timeout;
  if (policy().watchdog > Duration::zero()) details(i).alive_until = now + policy().watchdog;
  if (const auto& check = policy().health_check) {
    details(i).probe_at = now + std::max(check->initial_delay, check->interval);
    details(i).probe_failures = 0;
  }
  arm(i);
}

void PoolEngine::Impl::arm(ChildIndex i) {
  const auto& slot = table_[i];
  auto due = slot.until;
  const bool clocks = slot.phase == Phase::starting || slot.phase == Phase::running;
  if (clocks && slot.more) {
    due = std::min({due, slot.more->probe_at, slot.more->alive_until});
  }
  if (due == never) {
    deadlines_.disarm(i);
  } else {
    deadlines_.arm(i, due);
  }
}

void PoolEngine::Impl::on(const input::ChildAlive& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  auto& slot = table_[in.child];
  if (slot.phase != Phase::running || policy().watchdog <= Duration::zero()) return;
  auto& until = details(in.child).alive_until;
  until = until == never ? now + policy().watchdog : std::max(until, now + policy().watchdog);
  arm(in.child);
}

void PoolEngine::Impl::on(const input::ChildExtend& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  auto& slot = table_[in.child];
  if (slot.phase != Phase::running) {
    if (slot.until != never) slot.until = std::max(slot.until, now + in.by);
  } else if (slot.more && slot.more->alive_until != never) {
    slot.more->alive_until = std::max(slot.more->alive_until, now + in.by);
  }
  // A straggler waits for the deadline that all of them share.
  if (!slot.straggler) arm(in.child);
}

void PoolEngine::Impl::on(const input::ChildStatus& in, TimePoint) {
  if (!is_current(in.child, in.generation)) return;
  details(in.child).status = std::make_shared<const std::string>(in.text);
  touch(in.child);
  emit_child(in.child, events::ChildStatusText{in.text});
}

void PoolEngine::Impl::end_admission(ChildIndex i) {
  auto& slot = table_[i];
  if (!slot.more || slot.more->admission == 0) return;
  out_.emplace_back(effect::EndAdmission{i, std::exchange(slot.more->admission, 0)});
}

void PoolEngine::Impl::cancel_restart(ChildIndex i, const std::string& cause, TimePoint now) {
  auto& slot = at(i);
  end_probes(i);
  end_admission(i);
  if (slot.counted_restart) emit_child(i, events::RestartCancelled{cause});
  slot.counted_restart = false;
  enter(i, Phase::idle, now);
  deadlines_.disarm(i);
}

void PoolEngine::Impl::ask_to_stop(ChildIndex i, Asked asked, StopCause cause, TimePoint now) {
  const auto& stop = policy().stop;
  end_probes(i);
  auto& slot = at(i);
  slot.asked = asked;
  slot.asked_at = now;
  slot.cause.caused_by = emit_child(i, events::ChildStopping{cause});
  if (slot.cause.correlation == 0) slot.cause.correlation = slot.cause.caused_by;
  if (stop.kind == StopPolicy::Kind::brutal_kill) {
    abort(i, now);
    return;
  }
  enter(i, Phase::stopping, now);
  std::optional<Duration> limit;
  if (stop.kind == StopPolicy::Kind::timed) {
    limit = stop.grace;
    slot.until = now + stop.grace;
  }
  arm(i);
  if (mode_ == Mode::closing) {
    const auto left = std::max(Duration::zero(), closing_.drain_until - now);
    limit = limit ? std::min(*limit, left) : left;
  }
  if (limit && has_subtree(*spec_)) limit = less_for_nested(*limit);
  out_.emplace_back(effect::StopChild{i, slot.generation, limit, slot.cause});
}

// A timer of ours has tripped: the coming exit is what the timer says.
void PoolEngine::Impl::force_end(ChildIndex i, ExitKind kind, const std::string& why,
                                 TimePoint now) {
  details(i).tripped = why;
  auto& slot = table_[i];
  slot.forced = kind;
  slot.asked = Asked::timeout;
  slot.asked_at = now;
  abort(i, now);
}

void PoolEngine::Impl::abort(ChildIndex i, TimePoint now) {
  end_probes(i);
  auto& slot = at(i);
  enter(i, Phase::aborting, now);
  const auto wait = mode_ == Mode::closing ? closing_.abort_wait : pool_.shutdown.abort_wait;
  slot.cause.caused_by = emit_child(i, events::ChildAborted{});
  if (slot.cause.correlation == 0) slot.cause.correlation = slot.cause.caused_by;
  slot.until = now + wait;
  arm(i);
  const auto told = has_subtree(*spec_) ? less_for_nested(wait) : wait;
  out_.emplace_back(effect::AbortChild{i, slot.generation, told, slot.cause});
}

// What may still live must not be started again: two attempts would run at once.
void PoolEngine::Impl::abandon(ChildIndex i, TimePoint now) {
  end_admission(i);
  auto& slot = at(i);
  enter(i, Phase::abandoned, now);
  deadlines_.disarm(i);
  slot.cause.caused_by = emit_child(i, events::ChildAbortFailed{});
  out_.emplace_back(effect::AbandonChild{i, slot.generation});
}

void PoolEngine::Impl::forget(ChildIndex i, const std::string& by, TimePoint now) {
  end_admission(i);
  enter(i, Phase::removed, now);
  deadlines_.disarm(i);
  emit_child(i, events::ChildRemoved{by});
  reached(i, Aim::gone);
  settle_initial(i, now);
  table_.release(i);
}

}  // namespace espalier::supervisor
