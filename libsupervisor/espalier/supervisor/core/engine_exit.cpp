#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

constexpr std::size_t max_paths_in_event = 32;

std::string timeout_message(const ExitRecord& exit, const ChildPolicy& policy) {
  const auto what = exit.kind == ExitKind::timed_out
                        ? "not ready within " + human(policy.start_timeout)
                        : "no sign of life within " + human(policy.watchdog);
  return exit.message.empty() ? what : what + "; " + exit.message;
}

}  // namespace

void SupervisorEngine::Impl::on(const input::ChildExited& in, TimePoint now) {
  if (in.child >= children_.size()) return;
  auto& child = at(in.child);
  const auto before = child.phase;
  const bool was_abandoned = before == Phase::abandoned && in.generation == child.generation;
  if (!was_abandoned && !is_current(in.child, in.generation)) return;
  const auto asked = std::exchange(child.asked, Asked::nobody);
  const auto exit = classify(in.child, in.exit);
  deadlines_.disarm(in.child);
  child.phase = Phase::idle;
  child.satisfied = exit.kind == ExitKind::completed;
  child.last_exit = std::make_unique<ExitRecord>(exit);
  if (!in.subtree.empty()) {
    child.subtree = std::make_unique<std::vector<ChildShutdownStatus>>(in.subtree);
  }
  auto cause = in.cause.correlation != 0 ? in.cause : child.cause;
  if (asked == Asked::nobody && before != Phase::starting) cause = in.cause;
  const auto since = before == Phase::starting ? child.started_at : child.ready_at;
  cause.caused_by = emit_child(in.child, cause, events::ChildExited{exit, now - since});
  if (cause.correlation == 0) cause.correlation = cause.caused_by;
  child.cause = cause;
  if (was_abandoned) {
    end_of_abandoned(in.child, now);
  } else {
    after_exit(in.child, before, asked, now);
  }
}

// An exit that was asked for is a stop or an abort, unless the child failed on its way out.
ExitRecord SupervisorEngine::Impl::classify(ChildIndex i, const ExitRecord& reported) const {
  const auto& child = children_[i];
  auto exit = reported;
  if (child.forced) {
    exit.kind = *child.forced;
    exit.category =
        exit.kind == ExitKind::timed_out ? FailureCategory::timeout : FailureCategory::unhealthy;
    exit.message = timeout_message(exit, spec_of(i).policy);
  } else if (child.phase == Phase::stopping) {
    if (exit.kind == ExitKind::completed || exit.kind == ExitKind::signalled) {
      exit.kind = ExitKind::stopped;
      exit.category = FailureCategory::cancelled;
    }
  } else if (child.phase == Phase::aborting || child.phase == Phase::abandoned) {
    exit.kind = ExitKind::aborted;
    exit.category = FailureCategory::cancelled;
  }
  return exit;
}

void SupervisorEngine::Impl::after_exit(ChildIndex i, Phase before, Asked asked, TimePoint now) {
  auto& child = children_[i];
  if (mode_ == Mode::closing) {
    exited_while_closing(i, before, asked, now);
  } else if (child.restart_wanted) {
    start_by_command(i, now);
    pursue_scope(now);
  } else if (asked == Asked::command) {
    child.phase = Phase::stopped;
    emit_child(i, events::ChildStopped{});
    pursue_scope(now);
  } else if (in_stopping_scope(i)) {
    if (spec_of(i).policy.restart == RestartType::temporary) {
      child.phase = Phase::stopped;
      emit_child(i, events::ChildStopped{});
    }
    pursue_scope(now);
  } else {
    judge(i, before, now);
  }
  if (mode_ != Mode::closing) advance_sequence(now);
}

void SupervisorEngine::Impl::end_of_abandoned(ChildIndex i, TimePoint now) {
  auto& child = children_[i];
  child.phase = Phase::quarantined;
  if (mode_ == Mode::closing) {
    record_late_end(i, now);
  } else if (mode_ != Mode::finished && child.restart_wanted) {
    start_by_command(i, now);
  }
}

void SupervisorEngine::Impl::judge(ChildIndex i, Phase before, TimePoint now) {
  auto& child = at(i);
  const bool during_start = child.forced == ExitKind::timed_out || before == Phase::starting;
  child.counted_restart = false;
  if (during_start && child.last_exit->is_failure()) {
    emit_child(i, events::ChildStartFailed{describe(*child.last_exit)});
  } else {
    forgive_after_stable_run(i, now);
  }
  const auto decision = std::make_shared<const RestartDecision>(
      decide(i, during_start ? Phase::starting : before, now));
  emit_decision(i, decision);
  carry_out(i, *decision, now);
}

RestartDecision SupervisorEngine::Impl::decide(ChildIndex i, Phase before, TimePoint now) {
  RestartDecision d;
  d.exit = *children_[i].last_exit;
  d.restart = spec_of(i).policy.restart;
  d.strategy = spec_.strategy;
  if (mode_ == Mode::starting && before == Phase::starting && d.exit.is_failure() &&
      spec_.start_failure == StartFailure::abort) {
    d.checks.push_back({Rule::start_failure, true});
    d.deciding_rule = Rule::start_failure;
    d.verdict = Verdict::escalate;
    return d;
  }
  if (consult_restart_type(d) || consult_fatal_category(i, d)) return d;
  if (dependencies_satisfied(i)) {
    if (consult_child_limit(i, d, now) || consult_supervisor_limit(i, d, now)) return d;
  } else {
    d.checks.push_back({Rule::dependency_ready, true});
  }
  consult_backoff(i, d);
  return d;
}

bool SupervisorEngine::Impl::consult_restart_type(RestartDecision& d) const {
  const bool stays = d.restart == RestartType::temporary ||
                     (d.restart == RestartType::transient && !d.exit.is_failure());
  d.checks.push_back({Rule::restart_type, stays});
  if (stays) d.verdict = Verdict::leave_stopped;
  return stays;
}

bool SupervisorEngine::Impl::consult_fatal_category(ChildIndex i, RestartDecision& d) const {
  const auto& policy = spec_of(i).policy;
  FatalAction action = FatalAction::restart;
  if (d.exit.category == FailureCategory::fatal_config) action = policy.on_fatal_config;
  if (d.exit.category == FailureCategory::fatal_bug) action = policy.on_fatal_bug;
  if (action == FatalAction::restart) return false;
  d.checks.push_back({Rule::fatal_category, true});
  d.deciding_rule = Rule::fatal_category;
  d.verdict = action == FatalAction::escalate ? Verdict::escalate : Verdict::leave_stopped;
  return true;
}

bool SupervisorEngine::Impl::consult_child_limit(ChildIndex i, RestartDecision& d, TimePoint now) {
  const auto& policy = spec_of(i).policy;
  if (!policy.restart_limit) return false;
  const auto& limit = *policy.restart_limit;
  auto& window = children_[i].window;
  const bool within = window.record(limit, now);
  const auto count = window.count(limit, now) + (within ? 0 : 1);
  d.checks.push_back({Rule::child_limit, !within, count, limit.max_restarts, limit.window});
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

bool SupervisorEngine::Impl::consult_supervisor_limit(ChildIndex i, RestartDecision& d,
                                                      TimePoint now) {
  if (!spec_.restart_limit) return false;
  const auto& limit = *spec_.restart_limit;
  const bool within = window_.record(limit, now);
  const auto count = window_.count(limit, now) + (within ? 0 : 1);
  d.checks.push_back({Rule::supervisor_limit, !within, count, limit.max_restarts, limit.window});
  if (within) return false;
  d.deciding_rule = Rule::supervisor_limit;
  d.verdict = Verdict::escalate;
  emit(children_[i].cause,
       events::FuseTripped{"supervisor", count, limit.max_restarts, limit.window});
  return true;
}

void SupervisorEngine::Impl::consult_backoff(ChildIndex i, RestartDecision& d) {
  auto& child = children_[i];
  ++child.in_a_row;
  d.delay = backoff_delay(spec_of(i).policy.backoff, child.in_a_row, child.last_delay, random_);
  child.last_delay = d.delay;
  d.checks.push_back({Rule::backoff, true, child.in_a_row, 0, Duration::zero()});
  d.deciding_rule = Rule::backoff;
  d.verdict = d.delay > Duration::zero() ? Verdict::restart_after : Verdict::restart_now;
}

void SupervisorEngine::Impl::forgive_after_stable_run(ChildIndex i, TimePoint now) {
  auto& child = children_[i];
  const auto after = spec_of(i).policy.backoff.reset_after;
  if (child.in_a_row == 0 || after <= Duration::zero() || now - child.ready_at < after) return;
  child.in_a_row = 0;
  child.attempt = 0;
  child.last_delay = {};
  child.window.clear();
  emit_child(i, events::FuseReset{"stable for " + human(now - child.ready_at)});
}

void SupervisorEngine::Impl::emit_decision(ChildIndex i,
                                           const std::shared_ptr<const RestartDecision>& d) {
  events::RestartDecided body;
  body.decision = d;
  const bool restarts = d->verdict == Verdict::restart_now || d->verdict == Verdict::restart_after;
  if (restarts) {
    const auto first = scope_begin(i);
    const auto last = spec_.strategy == Strategy::one_for_one
                          ? first + 1
                          : static_cast<std::uint32_t>(order_.size());
    body.scope_size = last - first;
    const auto shown = std::min<std::size_t>(last, first + max_paths_in_event);
    for (std::size_t p = first; p < shown; ++p)
      body.scope.push_back(path_of(order_[p]));
  }
  auto& child = children_[i];
  child.cause.caused_by = emit_child(i, std::move(body));
}

void SupervisorEngine::Impl::carry_out(ChildIndex i, const RestartDecision& d, TimePoint now) {
  auto& child = children_[i];
  switch (d.verdict) {
    case Verdict::restart_now:
    case Verdict::restart_after:
      ++child.restarts_total;
      restart_by_strategy(i, d.delay, now);
      break;
    case Verdict::leave_stopped:
      child.phase = Phase::stopped;
      if (d.deciding_rule == Rule::restart_type) {
        emit_child(i, events::ChildStopped{});
      } else {
        child.held = true;
        emit_child(i, events::ChildFailed{explain(path_of(i), d)});
      }
      if (child.satisfied) release_dependants(i, now);
      break;
    case Verdict::quarantine:
      child.phase = Phase::quarantined;
      emit_child(i, events::ChildQuarantined{explain(path_of(i), d)});
      break;
    case Verdict::escalate:
      if (d.deciding_rule == Rule::start_failure) {
        fail_start(i, now);
      } else {
        escalate(i, d, now);
      }
      break;
  }
}

// The parent sees an ordinary failure of this supervisor and decides by its own policy.
void SupervisorEngine::Impl::escalate(ChildIndex i, const RestartDecision& d, TimePoint now) {
  const auto cut = context_.path.rfind('/');
  const auto parent = cut == 0 ? "/" : context_.path.substr(0, cut);
  Closing plan;
  plan.result = effect::Result::failed;
  plan.stop_cause = StopCause::policy;
  plan.exit.kind = ExitKind::failed;
  plan.exit.category = FailureCategory::recoverable;
  plan.exit.message = explain(path_of(i), d);
  plan.cause = children_[i].cause;
  plan.cause.caused_by =
      emit(plan.cause, events::Escalated{context_.path == "/" ? "" : parent, plan.exit.message});
  begin_closing(std::move(plan), spec_.shutdown.total_timeout, now);
}

void SupervisorEngine::Impl::fail_start(ChildIndex i, TimePoint now) {
  const auto& child = children_[i];
  Closing plan;
  plan.result = effect::Result::start_failed;
  plan.stop_cause = StopCause::policy;
  plan.exit.kind = ExitKind::failed;
  plan.exit.category = FailureCategory::recoverable;
  plan.exit.message = path_of(i) + " did not start: " +
                      (is_live(child.phase) || child.phase == Phase::abandoned || !child.last_exit
                           ? "not ready in time, and it could not be ended"
                           : describe(*child.last_exit));
  plan.cause = child.cause;
  plan.cause.caused_by = emit(plan.cause, events::TreeStartFailed{plan.exit.message});
  begin_closing(std::move(plan), spec_.shutdown.total_timeout, now);
}

void SupervisorEngine::Impl::restart_by_strategy(ChildIndex i, Duration delay, TimePoint now) {
  if (spec_.strategy != Strategy::one_for_one) {
    begin_scope(i, delay, now);
    return;
  }
  auto& child = children_[i];
  child.counted_restart = true;
  if (delay == Duration::zero()) {
    start_child(i, now);
  } else {
    child.phase = Phase::backing_off;
    deadlines_.arm(i, now + delay);
  }
}

}  // namespace espalier::supervisor
