#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

constexpr std::size_t max_paths_in_event = 32;

}  // namespace

void SupervisorEngine::Impl::on(const input::ChildExited& in) {
  if (in.child >= children_.size()) return;
  auto& child = at(in.child);
  const auto before = child.phase;
  const bool was_abandoned = before == Phase::abandoned && in.generation == child.generation;
  if (!was_abandoned && !is_current(in.child, in.generation)) return;
  const auto asked = std::exchange(child.asked, Asked::nobody);
  cancel_probe(in.child);
  end_admission(in.child);
  const auto exit = std::make_shared<const ExitRecord>(classify(in.child, in.exit));
  disarm(in.child);
  if (before == Phase::suspended) child.intent = Intent::run;  // A new attempt runs.
  child.phase = Phase::idle;
  child.since = now_;
  child.satisfied = exit->kind == ExitKind::completed;
  child.last_exit = exit;
  touch(in.child);
  child.subtree.reset();
  if (!in.subtree.empty()) {
    child.subtree = std::make_unique<std::vector<ChildShutdownStatus>>(in.subtree);
  }
  auto cause = in.cause.correlation != 0 ? in.cause : child.cause;
  if (asked == Asked::nobody && before != Phase::starting) cause = in.cause;
  const auto since = before == Phase::starting ? child.started_at : child.ready_at;
  cause.caused_by = emit_child(in.child, cause, events::ChildExited{*exit, now_ - since});
  if (cause.correlation == 0) cause.correlation = cause.caused_by;
  child.cause = cause;
  if (was_abandoned) {
    end_of_abandoned(in.child);
  } else if (in.ends_tree && mode_ != Mode::closing) {
    Closing plan;
    plan.result = effect::Result::failed;
    plan.stop_cause = StopCause::policy;
    plan.exit = *exit;
    plan.ends_tree = true;
    plan.cause = cause;
    begin_closing(std::move(plan), spec_.shutdown.total_timeout);
  } else {
    after_exit(in.child, before, asked);
  }
}

// An exit that was asked for is a stop or an abort, unless the child failed on its way out.
ExitRecord SupervisorEngine::Impl::classify(ChildIndex i, const ExitRecord& reported) const {
  const auto& child = children_[i];
  const auto& policy = spec_of(i).policy;
  auto exit = reported;
  if (child.forced) {
    exit.kind = *child.forced;
    const bool late = exit.kind == ExitKind::timed_out;
    exit.category = late ? FailureCategory::timeout : FailureCategory::unhealthy;
    const bool watched = policy.watchdog > Duration::zero() && child.alive_until <= now_;
    auto what = watched ? "no sign of life within " + human(policy.watchdog)
                        : std::string{"its health check failed"};
    if (late) {
      const bool ran = child.run_until <= now_;
      what = ran ? "still running after " + human(policy.run_timeout)
                 : "not ready within " + human(policy.start_timeout);
    }
    exit.message = exit.message.empty() ? what : what + "; " + exit.message;
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

void SupervisorEngine::Impl::after_exit(ChildIndex i, Phase before, Asked asked) {
  const auto& child = children_[i];
  const auto* orphan = child.intent == Intent::run ? orphan_below(i) : nullptr;
  if (mode_ == Mode::closing) {
    exited_while_closing(i, before, asked);
  } else if (orphan && (child.restart_wanted || in_stopping_scope(i))) {
    keep_from_orphan(i, *orphan);
    pursue_scope();
  } else if (child.restart_wanted) {
    start_by_command(i);
    pursue_scope();
  } else if (asked == Asked::command) {
    land(i);
    pursue_scope();
  } else if (in_stopping_scope(i)) {
    if (child.intent == Intent::quarantined || child.intent == Intent::paused) {
      land(i);
    } else if (spec_of(i).policy.restart == RestartType::temporary) {
      become(i, Phase::stopped);
      emit_child(i, events::ChildStopped{});
    }
    pursue_scope();
  } else {
    judge(i, before);
  }
  if (mode_ != Mode::closing) advance_sequence();
}

// One that a nested supervisor could not end, and may still live.
const std::string* SupervisorEngine::Impl::orphan_below(ChildIndex i) const {
  return children_[i].subtree ? orphan_in(*children_[i].subtree) : nullptr;
}

// A new attempt of the subtree would start the orphan's child a second time.
void SupervisorEngine::Impl::keep_from_orphan(ChildIndex i, const std::string& orphan) {
  const auto why = orphan + " could not be ended and may still run";
  children_[i].restart_wanted = false;
  children_[i].counted_restart = false;
  answer_all(i, Error::Code::wrong_state,
             path_of(i) + " was not started: " + why + "; restart it to start it all the same");
  become(i, Phase::quarantined);
  emit_child(i, events::ChildQuarantined{why});
  stop_linked_sidecars(i);
}

void SupervisorEngine::Impl::end_of_abandoned(ChildIndex i) {
  const bool serves = mode_ != Mode::closing && mode_ != Mode::finished;
  if (serves && children_[i].restart_wanted) {
    const auto* orphan = orphan_below(i);
    return orphan ? keep_from_orphan(i, *orphan) : start_by_command(i);
  }
  children_[i].restart_wanted = false;
  become(i, Phase::quarantined);
  if (mode_ == Mode::closing) record_late_end(i);
}

void SupervisorEngine::Impl::judge(ChildIndex i, Phase before) {
  auto& child = at(i);
  const bool never_ready =
      child.forced == ExitKind::timed_out && child.ready_at == child.started_at;
  const bool during_start = never_ready || before == Phase::starting;
  child.counted_restart = false;
  if (during_start && child.last_exit->is_failure()) {
    emit_child(i, events::ChildStartFailed{describe(*child.last_exit)});
    if (child.tentative && !orphan_below(i)) {
      answer_all(
          i, Error::Code::start_failed,
          path_of(i) + " was not added, for it did not start: " + describe(*child.last_exit));
      forget_child(i);
      emit_child(i, events::ChildRemoved{"its failed start"});
      return;
    }
  } else {
    forgive_after_stable_run(i);
  }
  const auto decision =
      std::make_shared<const RestartDecision>(decide(i, during_start ? Phase::starting : before));
  child.last_decision = decision;
  emit_decision(i, decision);
  carry_out(i, *decision);
}

void SupervisorEngine::Impl::forgive_after_stable_run(ChildIndex i) {
  auto& child = children_[i];
  const auto after = spec_of(i).policy.backoff.reset_after;
  if (child.in_a_row == 0 || after <= Duration::zero() || now_ - child.ready_at < after) return;
  child.in_a_row = 0;
  child.attempt = 0;
  child.last_delay = {};
  child.window.clear();
  emit_child(i, events::FuseReset{"stable for " + human(now_ - child.ready_at)});
}

void SupervisorEngine::Impl::emit_decision(ChildIndex i,
                                           const std::shared_ptr<const RestartDecision>& d) {
  events::RestartDecided body;
  body.decision = d;
  if (is_restart(d->verdict)) {
    if (d->strategy == Strategy::one_for_one) {
      body.scope = {path_of(i)};
      body.scope_size = 1;
    } else {
      const auto members = scope_of(i);
      body.scope_size = members.size();
      for (const auto m : members) {
        if (body.scope.size() == max_paths_in_event) break;
        body.scope.push_back(path_of(m));
      }
    }
  }
  auto& child = children_[i];
  child.cause.caused_by = emit_child(i, std::move(body));
  child.decided = child.cause;
}

void SupervisorEngine::Impl::carry_out(ChildIndex i, const RestartDecision& d) {
  const auto* orphan = orphan_below(i);
  const bool comes_back = is_restart(d.verdict) || d.verdict == Verdict::hold_group;
  if (orphan && comes_back) {
    emit_child(i, events::RestartCancelled{*orphan + " may still run"});
    keep_from_orphan(i, *orphan);
    return;
  }
  switch (d.verdict) {
    case Verdict::restart_now:
    case Verdict::restart_after:
      ++children_[i].restarts_total;
      restart_by_strategy(i, d.delay, Phase::backing_off);
      break;
    case Verdict::restart_queued:
      ++children_[i].restarts_total;
      restart_by_strategy(i, d.delay, Phase::queued);
      break;
    case Verdict::leave_stopped:
      leave_stopped(i, d);
      break;
    case Verdict::quarantine:
      if (d.deciding_rule == Rule::supervisor_limit) {
        quarantine_scope(i, d);
      } else {
        become(i, Phase::quarantined);
        emit_child(i, events::ChildQuarantined{explain(path_of(i), d)});
        stop_linked_sidecars(i);
      }
      break;
    case Verdict::hold_group:
      become(i, Phase::held);
      break;
    case Verdict::shutdown_tree:
    case Verdict::escalate:
      if (d.deciding_rule == Rule::start_failure) {
        fail_start(i);
      } else {
        escalate(i, d);
      }
      break;
  }
}

void SupervisorEngine::Impl::leave_stopped(ChildIndex i, const RestartDecision& d) {
  const bool by_type = d.deciding_rule == Rule::restart_type;
  become(i, Phase::stopped);
  if (by_type) {
    emit_child(i, events::ChildStopped{});
  } else {
    children_[i].held = true;
    emit_child(i, events::ChildFailed{explain(path_of(i), d)});
  }
  if (children_[i].satisfied) release_dependants(i);
  stop_linked_sidecars(i);
  if (by_type && spec_of(i).significant) auto_shutdown(i);
  const bool gone = children_[i].dynamic && d.restart == RestartType::temporary;
  if (gone && mode_ != Mode::closing && !orphan_below(i)) {
    forget_child(i);
    emit_child(i, events::ChildRemoved{"its own end"});
  }
}

// What a command or a restart of its scope stopped does not count: only ends of their own.
void SupervisorEngine::Impl::auto_shutdown(ChildIndex i) {
  if (spec_.auto_shutdown == AutoShutdown::never || mode_ == Mode::closing) return;
  if (spec_.auto_shutdown == AutoShutdown::all_significant) {
    for (ChildIndex other = 0; other < size(); ++other) {
      const auto phase = children_[other].phase;
      if (other == i || phase == Phase::removed || !spec_of(other).significant) continue;
      const bool awaited = phase == Phase::idle && children_[other].intent == Intent::run;
      if (is_live(phase) || is_waiting(phase) || awaited) return;
    }
  }
  Closing plan;
  plan.exit.kind = ExitKind::completed;
  plan.exit.message = path_of(i) + ", which is significant, has ended";
  plan.stop_cause = StopCause::policy;
  plan.cause = children_[i].cause;
  plan.cause.caused_by = emit(plan.cause, events::AutoShutdownTriggered{path_of(i)});
  begin_closing(std::move(plan), spec_.shutdown.total_timeout);
}

// The parent sees an ordinary failure of this supervisor and decides by its own policy, unless
// the whole tree is to end.
void SupervisorEngine::Impl::escalate(ChildIndex i, const RestartDecision& d) {
  const auto cut = context_.path.rfind('/');
  const auto parent = cut == 0 ? "/" : context_.path.substr(0, cut);
  Closing plan;
  plan.result = effect::Result::failed;
  plan.stop_cause = StopCause::policy;
  plan.ends_tree = d.verdict == Verdict::shutdown_tree;
  plan.exit.kind = ExitKind::failed;
  plan.exit.category = FailureCategory::recoverable;
  plan.exit.message = explain(path_of(i), d);
  plan.cause = children_[i].cause;
  plan.cause.caused_by =
      emit(plan.cause, events::Escalated{context_.path == "/" ? "" : parent, plan.exit.message});
  begin_closing(std::move(plan), spec_.shutdown.total_timeout);
}

// Who would have restarted with the child is stopped as for that restart, last one first, and is
// kept down with it; the others go on.
void SupervisorEngine::Impl::quarantine_scope(ChildIndex i, const RestartDecision& d) {
  become(i, Phase::quarantined);
  emit_child(i, events::ChildQuarantined{explain(path_of(i), d)});
  stop_linked_sidecars(i);
  if (d.strategy == Strategy::one_for_one) return;
  auto members = scope_of(i);
  if (scope_.step != Scope::Step::none) {
    const bool others = scope_.trigger != nobody_there && scope_.trigger != i;
    if (others) {
      emit_child(scope_.trigger, scope_.cause,
                 events::RestartCancelled{"its scope is quarantined"});
    }
    members.insert(members.end(), scope_.members.begin(), scope_.members.end());
  }
  std::erase_if(members, [&](auto m) {
    const auto phase = children_[m].phase;
    const bool up = is_live(phase) || is_waiting(phase) || phase == Phase::idle;
    // Those that an earlier quarantine or a reload still stops are waited for.
    return !up || (children_[m].intent != Intent::run && !is_live(phase));
  });
  sort_by_position(members);
  members.erase(std::unique(members.begin(), members.end()), members.end());
  for (const auto m : members) {
    if (children_[m].intent != Intent::run) continue;
    supersede(m, true);
    children_[m].intent = Intent::quarantined;
  }
  sequence_.active = false;
  deadlines_.disarm(scope_slot);
  scope_.step = Scope::Step::stopping;
  scope_.trigger = nobody_there;
  scope_.is_quarantine = true;
  scope_.members = std::move(members);
  scope_.cursor = scope_.members.size();
  scope_.due = now_;
  scope_.cause = children_[i].cause;
  pursue_scope();
}

void SupervisorEngine::Impl::fail_start(ChildIndex i) {
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
  begin_closing(std::move(plan), spec_.shutdown.total_timeout);
}

void SupervisorEngine::Impl::restart_by_strategy(ChildIndex i, Duration delay, Phase waiting) {
  if (strategy_of(i) != Strategy::one_for_one) {
    begin_scope(i, delay);
    return;
  }
  children_[i].counted_restart = true;
  if (delay == Duration::zero()) {
    start_child(i);
  } else {
    arm(i, now_ + delay);
    become(i, waiting);
  }
}

}  // namespace espalier::supervisor
