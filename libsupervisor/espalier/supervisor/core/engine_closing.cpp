#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

const char* result_word(effect::Result result) {
  switch (result) {
    case effect::Result::stopped:
      return "stopped";
    case effect::Result::failed:
      return "failed";
    case effect::Result::start_failed:
      return "start_failed";
  }
  return "";
}

}  // namespace

void SupervisorEngine::Impl::on(const input::Stop& in) {
  const auto total =
      in.limit ? std::min(spec_.shutdown.total_timeout, *in.limit) : spec_.shutdown.total_timeout;
  if (mode_ == Mode::closing) {
    const auto until = now_ + std::max(Duration::zero(), total - closing_.abort_wait);
    if (closing_.step == Closing::Step::draining && in.limit && until < closing_.drain_until) {
      closing_.drain_until = until;
      deadlines_.arm(closing_slot, until);
    }
    return;
  }
  Closing plan;
  plan.exit.kind = ExitKind::stopped;
  plan.exit.category = FailureCategory::cancelled;
  plan.exit.message = in.cause;
  plan.cause = in.chain;
  plan.cause.caused_by = emit(plan.cause, events::ShutdownRequested{in.cause});
  if (plan.cause.correlation == 0) plan.cause.correlation = plan.cause.caused_by;
  emit(plan.cause, events::ShutdownStageReached{ShutdownStage::request_stop});
  begin_closing(std::move(plan), total);
}

void SupervisorEngine::Impl::on(const input::Abort& in) {
  if (mode_ == Mode::closing) {
    closing_.abort_wait = std::min(closing_.abort_wait, in.wait);
    if (closing_.step == Closing::Step::draining) {
      end_drain();
    } else {
      hurry_stragglers();
    }
    return;
  }
  Closing plan;
  plan.exit.kind = ExitKind::aborted;
  plan.exit.category = FailureCategory::cancelled;
  plan.abort_wait = in.wait;
  plan.cause = in.chain;
  begin_closing(std::move(plan), Duration::zero());
}

void SupervisorEngine::Impl::begin_closing(Closing plan, Duration total) {
  mode_ = Mode::closing;
  sequence_.active = false;
  if (scope_.step != Scope::Step::none) {
    if (scope_.trigger != nobody_there) {
      emit_child(scope_.trigger, scope_.cause, events::RestartCancelled{"the supervisor stops"});
    }
    if (scope_.reload) {
      refuse(scope_.reload->ticket, Error::Code::shutting_down, "the supervisor is stopping");
      scope_.reload.reset();
    }
    scope_.step = Scope::Step::none;
    deadlines_.disarm(scope_slot);
  }
  if (const auto reload = std::exchange(waiting_reload_, std::nullopt)) {
    refuse(*reload, Error::Code::shutting_down, "the supervisor is stopping");
  }
  closing_ = std::move(plan);
  if (closing_.abort_wait == Duration::zero()) closing_.abort_wait = spec_.shutdown.abort_wait;
  closing_.abort_wait = std::min(closing_.abort_wait, spec_.shutdown.abort_wait);
  closing_.drain_until = now_ + std::max(Duration::zero(), total - closing_.abort_wait);
  closing_.cursor = static_cast<std::uint32_t>(order_.size());
  closing_.statuses.reserve(order_.size());
  count_children_to_close();
  if (closing_.result == effect::Result::stopped && total > Duration::zero()) {
    emit(closing_.cause, events::ShutdownStageReached{ShutdownStage::graceful_drain});
  }
  if (total == Duration::zero()) {
    end_drain();
    return;
  }
  deadlines_.arm(closing_slot, closing_.drain_until);
  if (spec_.shutdown.order == ShutdownOrder::parallel) {
    while (closing_.cursor > 0)
      ask_next_in_order();
  }
  pursue_closing();
}

void SupervisorEngine::Impl::count_children_to_close() {
  for (auto p = order_.rbegin(); p != order_.rend(); ++p) {
    if (*p == nobody_there) continue;
    auto& child = at(*p);
    child.restart_wanted = false;
    if (child.tickets) answer_all(*p, Error::Code::shutting_down, "its supervisor is stopping");
    if (is_live(child.phase)) {
      ++closing_.awaited;
      continue;
    }
    if (is_waiting(child.phase)) {
      cancel_wait(*p, "the supervisor stops");
      become(*p, Phase::idle);
    }
    const bool orphan = child.phase == Phase::abandoned;
    record_status(
        *p, orphan ? ChildShutdownOutcome::abort_failed : ChildShutdownOutcome::already_exited);
  }
}

void SupervisorEngine::Impl::ask_next_in_order() {
  const auto i = order_[--closing_.cursor];
  if (i == nobody_there) return;
  auto& child = at(i);
  if (child.phase != Phase::starting && child.phase != Phase::running &&
      child.phase != Phase::suspended) {
    return;
  }
  child.cause = closing_.cause;
  ask_to_stop(i, Asked::closing, closing_.stop_cause);
}

// Reverse order: the child asked last must be down, or a straggler, before the next is asked.
void SupervisorEngine::Impl::pursue_closing() {
  if (mode_ != Mode::closing) return;
  if (closing_.step == Closing::Step::aborting) {
    if (closing_.straggling == 0) finish();
    return;
  }
  while (closing_.awaited > 0) {
    if (closing_.cursor < order_.size()) {
      const auto asked_last = order_[closing_.cursor];
      const bool there = asked_last != nobody_there;
      if (there && is_live(at(asked_last).phase) && !children_[asked_last].straggler) return;
    }
    if (closing_.cursor == 0) return;
    ask_next_in_order();
  }
  abort_stragglers();
}

void SupervisorEngine::Impl::become_straggler(ChildIndex i) {
  auto& child = at(i);
  if (child.straggler || !is_live(child.phase)) return;
  child.straggler = true;
  disarm(i);
  --closing_.awaited;
  ++closing_.straggling;
  closing_.stragglers.push_back(i);
}

void SupervisorEngine::Impl::end_drain() {
  for (auto p = order_.rbegin(); p != order_.rend(); ++p) {
    if (*p != nobody_there) become_straggler(*p);
  }
  abort_stragglers();
}

void SupervisorEngine::Impl::abort_stragglers() {
  closing_.step = Closing::Step::aborting;
  deadlines_.disarm(closing_slot);
  if (closing_.straggling == 0) {
    finish();
    return;
  }
  emit(closing_.cause, events::ShutdownStageReached{ShutdownStage::abort_stragglers});
  for (const auto i : closing_.stragglers) {
    auto& child = at(i);
    if (!is_live(child.phase)) continue;
    if (child.asked == Asked::nobody) child.asked_at = now_;
    child.asked = Asked::closing;
    abort_child(i);
    disarm(i);  // They share one.
  }
  deadlines_.arm(closing_slot, now_ + closing_.abort_wait);
}

// The parent waits for less than was reckoned with: whoever waits below must know it too, else the
// parent would take all of them for orphans.
void SupervisorEngine::Impl::hurry_stragglers() {
  const auto until = now_ + closing_.abort_wait;
  const auto due = deadlines_.at(closing_slot);
  if (!due || *due <= until) return;
  for (const auto i : closing_.stragglers) {
    if (!is_live(at(i).phase) || (!spec_of(i).supervisor && !spec_of(i).pool)) continue;
    abort_child(i);
    disarm(i);
  }
  deadlines_.arm(closing_slot, until);
}

void SupervisorEngine::Impl::abandon_stragglers() {
  for (const auto i : closing_.stragglers) {
    if (!is_live(at(i).phase)) continue;
    abandon(i);
    record_status(i, ChildShutdownOutcome::abort_failed);
  }
  closing_.straggling = 0;
  finish();
}

void SupervisorEngine::Impl::exited_while_closing(ChildIndex i, Phase before, Asked asked) {
  auto& child = at(i);
  if (child.straggler) {
    --closing_.straggling;
  } else {
    --closing_.awaited;
  }
  auto outcome = ChildShutdownOutcome::graceful;
  if (before == Phase::aborting) {
    outcome = ChildShutdownOutcome::aborted;
  } else if (asked == Asked::nobody) {
    outcome = ChildShutdownOutcome::already_exited;
  }
  become(i, Phase::stopped);
  record_status(i, outcome);
  pursue_closing();
}

void SupervisorEngine::Impl::record_status(ChildIndex i, ChildShutdownOutcome outcome) {
  auto& child = at(i);
  if (std::exchange(child.reported, true)) return;
  ChildShutdownStatus status;
  status.path = path_of(i);
  status.outcome = outcome;
  status.generation = shown(child.generation);
  if (outcome != ChildShutdownOutcome::already_exited) status.took = now_ - child.asked_at;
  if (child.last_exit) status.exit = *child.last_exit;
  closing_.statuses.push_back(std::move(status));
  if (!child.subtree) return;
  for (auto& below : *child.subtree) {
    const bool settled_before = outcome == ChildShutdownOutcome::already_exited &&
                                below.outcome != ChildShutdownOutcome::abort_failed;
    if (settled_before) below.outcome = ChildShutdownOutcome::already_exited;
    closing_.statuses.push_back(std::move(below));
  }
  child.subtree.reset();
}

// It was given up before the closing began, and ended before the closing did.
void SupervisorEngine::Impl::record_late_end(ChildIndex i) {
  const auto path = path_of(i);
  auto& statuses = closing_.statuses;
  const auto found = std::find_if(statuses.begin(), statuses.end(),
                                  [&](const auto& status) { return status.path == path; });
  if (found == statuses.end()) return;
  found->outcome = ChildShutdownOutcome::late_report;
  found->took = now_ - children_[i].asked_at;
  found->exit = *children_[i].last_exit;
}

void SupervisorEngine::Impl::finish() {
  if (mode_ == Mode::finished) return;
  mode_ = Mode::finished;
  deadlines_.disarm(closing_slot);
  emit(closing_.cause, events::TreeStopped{result_word(closing_.result)});
  out_.emplace_back(effect::Finished{closing_.result, std::move(closing_.exit),
                                     std::move(closing_.statuses), closing_.cause,
                                     closing_.ends_tree});
}

}  // namespace espalier::supervisor
