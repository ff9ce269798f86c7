#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <utility>

namespace espalier::supervisor {

void PoolEngine::Impl::on(const input::ChildExited& in, TimePoint now) {
  if (in.child >= table_.size()) return;
  auto& slot = at(in.child);
  const auto before = slot.phase;
  const bool was_abandoned = before == Phase::abandoned && in.generation == slot.generation;
  if (!was_abandoned && !is_current(in.child, in.generation)) return;
  const auto asked = std::exchange(slot.asked, Asked::nobody);
  auto exit = classify(in.child, in.exit);
  end_probes(in.child);
  end_admission(in.child);
  auto cause = in.cause.correlation != 0 ? in.cause : slot.cause;
  if (asked == Asked::nobody && slot.was_ready) cause = in.cause;
  cause.caused_by = emit_child(in.child, cause, events::ChildExited{exit, now - slot.ready_at});
  if (cause.correlation == 0) cause.correlation = cause.caused_by;
  slot.cause = cause;
  auto& more = details(in.child);
  more.last_exit = std::make_shared<const ExitRecord>(std::move(exit));
  more.pid.reset();
  more.subtree = in.subtree;
  enter(in.child, Phase::idle, now);
  deadlines_.disarm(in.child);
  if (was_abandoned) {
    end_of_abandoned(in.child, now);
  } else if (mode_ == Mode::closing) {
    closing_.ends_tree = closing_.ends_tree || in.ends_tree;
    exited_while_closing(in.child, before, asked, now);
  } else if (in.ends_tree) {
    Closing plan;
    plan.result = effect::Result::failed;
    plan.stop_cause = StopCause::policy;
    plan.exit = *more.last_exit;
    plan.cause = slot.cause;
    plan.ends_tree = true;
    begin_closing(std::move(plan), pool_.shutdown.total_timeout, now);
  } else {
    after_exit(in.child, now);
  }
}

// An exit that was asked for is a stop or an abort, unless the child failed on its way out.
ExitRecord PoolEngine::Impl::classify(ChildIndex i, const ExitRecord& reported) const {
  const auto& slot = table_[i];
  auto exit = reported;
  if (slot.forced) {
    exit.kind = *slot.forced;
    exit.category =
        exit.kind == ExitKind::timed_out ? FailureCategory::timeout : FailureCategory::unhealthy;
    exit.message = slot.more->tripped + (exit.message.empty() ? "" : "; " + exit.message);
  } else if (slot.phase == Phase::stopping) {
    if (exit.kind == ExitKind::completed || exit.kind == ExitKind::signalled) {
      exit.kind = ExitKind::stopped;
      exit.category = FailureCategory::cancelled;
    }
  } else if (slot.phase == Phase::aborting || slot.phase == Phase::abandoned) {
    exit.kind = ExitKind::aborted;
    exit.category = FailureCategory::cancelled;
  }
  return exit;
}

void PoolEngine::Impl::after_exit(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  const auto* orphan = orphan_in(slot.more->subtree);
  if (slot.intent == Intent::removed) {
    forget(i, slot.more->remover, now);
  } else if (slot.restart_wanted && orphan) {
    keep_from_orphan(i, *orphan, now);
  } else if (slot.restart_wanted) {
    start(i, now);
  } else if (slot.intent == Intent::quarantined) {
    enter(i, Phase::quarantined, now);
    emit_child(i, events::ChildQuarantined{"wanted by an operator"});
    settle_initial(i, now);
    reached(i, Aim::held);
  } else {
    judge(i, now);
  }
}

// A new attempt of the subtree would start the orphan's child a second time.
void PoolEngine::Impl::keep_from_orphan(ChildIndex i, const std::string& orphan, TimePoint now) {
  auto& slot = table_[i];
  const auto why = orphan + " could not be ended and may still run";
  slot.restart_wanted = false;
  slot.counted_restart = false;
  missed(i, path_of(i) + " was not started: " + why + "; restart it to start it all the same");
  enter(i, Phase::quarantined, now);
  emit_child(i, events::ChildQuarantined{why});
  settle_initial(i, now);
  reached(i, Aim::held);
}

void PoolEngine::Impl::end_of_abandoned(ChildIndex i, TimePoint now) {
  auto& slot = table_[i];
  const auto* orphan = orphan_in(slot.more->subtree);
  if (mode_ == Mode::closing) {
    enter(i, Phase::quarantined, now);
    record_late_end(i, now);
  } else if (mode_ != Mode::finished && slot.intent == Intent::removed) {
    forget(i, slot.more->remover, now);
  } else if (mode_ != Mode::finished && slot.restart_wanted && orphan) {
    keep_from_orphan(i, *orphan, now);
  } else if (mode_ != Mode::finished && slot.restart_wanted) {
    pass_gates(i, now);
  } else {
    enter(i, Phase::quarantined, now);
  }
}

void PoolEngine::Impl::give_up_on(ChildIndex i, TimePoint now) {
  auto& slot = table_[i];
  abandon(i, now);
  const auto why = path_of(i) + ": its attempt " + std::to_string(shown(slot.generation)) +
                   " could not be ended and may still run";
  missed(i, why);
  if (slot.trial) {
    begin_removal(i, "the pool", now);
  } else if (slot.intent == Intent::removed) {
    reached(i, Aim::gone);
  } else {
    emit_child(i, events::ChildQuarantined{why});
    reached(i, Aim::held);
  }
  settle_initial(i, now);
}

void PoolEngine::Impl::judge(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  slot.counted_restart = false;
  const auto exit = slot.more->last_exit;
  if (!slot.was_ready && exit->is_failure()) {
    emit_child(i, events::ChildStartFailed{describe(*exit)});
    if (slot.trial) {
      missed(i, path_of(i) + " did not start: " + describe(*exit));
      forget(i, "the pool", now);
      return;
    }
  } else {
    forgive_after_stable_run(i, now);
  }
  slot.trial = false;
  const auto decision = std::make_shared<const RestartDecision>(decide(i, now));
  events::RestartDecided body{decision, {}, 0};
  const bool restarts = is_restart(decision->verdict);
  if (restarts) body = {decision, {path_of(i)}, 1};
  slot.cause.caused_by = emit_child(i, std::move(body));
  slot.more->last_decision = decision;
  slot.more->decision_cause = slot.cause;
  carry_out(i, *decision, now);
}

void PoolEngine::Impl::carry_out(ChildIndex i, const RestartDecision& d, TimePoint now) {
  auto& slot = table_[i];
  const auto* orphan = orphan_in(slot.more->subtree);
  if (orphan && is_restart(d.verdict)) {
    emit_child(i, events::RestartCancelled{*orphan + " may still run"});
    keep_from_orphan(i, *orphan, now);
    return;
  }
  switch (d.verdict) {
    case Verdict::restart_now:
    case Verdict::restart_after:
    case Verdict::restart_queued:
      ++slot.restarts_total;
      slot.counted_restart = true;
      if (d.delay == Duration::zero()) {
        proceed(i, now);
      } else {
        enter(i, d.verdict == Verdict::restart_queued ? Phase::queued : Phase::backing_off, now);
        slot.until = now + d.delay;
        arm(i);
      }
      settle_initial(i, now);
      return;
    case Verdict::leave_stopped:
      missed(i, explain(path_of(i), d));
      if (d.deciding_rule == Rule::restart_type) {
        emit_child(i, events::ChildStopped{});
        forget(i, "the pool", now);
        return;
      }
      enter(i, Phase::stopped, now);
      emit_child(i, events::ChildFailed{explain(path_of(i), d)});
      break;
    case Verdict::escalate:
      missed(i, explain(path_of(i), d));
      escalate(i, d, now);
      return;
    default:
      missed(i, explain(path_of(i), d));
      enter(i, Phase::quarantined, now);
      emit_child(i, events::ChildQuarantined{explain(path_of(i), d)});
      break;
  }
  settle_initial(i, now);
}

// The parent sees an ordinary failure of this pool and decides by its own policy.
void PoolEngine::Impl::escalate(ChildIndex i, const RestartDecision& d, TimePoint now) {
  const auto cut = context_.path.rfind('/');
  const auto parent = cut == 0 ? "/" : context_.path.substr(0, cut);
  Closing plan;
  plan.result = effect::Result::failed;
  plan.stop_cause = StopCause::policy;
  plan.exit.kind = ExitKind::failed;
  plan.exit.category = FailureCategory::recoverable;
  plan.exit.message = explain(path_of(i), d);
  plan.cause = table_[i].cause;
  plan.cause.caused_by =
      emit(plan.cause, events::Escalated{context_.path == "/" ? "" : parent, plan.exit.message});
  begin_closing(std::move(plan), pool_.shutdown.total_timeout, now);
}

}  // namespace espalier::supervisor
