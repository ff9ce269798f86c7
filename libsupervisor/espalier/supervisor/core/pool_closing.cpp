#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

const char* result_word(effect::Result result) {
  return result == effect::Result::stopped ? "stopped" : "failed";
}

}  // namespace

void PoolEngine::Impl::on(const input::Stop& in, TimePoint now) {
  const auto total =
      in.limit ? std::min(pool_.shutdown.total_timeout, *in.limit) : pool_.shutdown.total_timeout;
  if (mode_ == Mode::closing) {
    const auto until = now + std::max(Duration::zero(), total - closing_.abort_wait);
    if (closing_.step == Closing::Step::draining && in.limit && until < closing_.drain_until) {
      closing_.drain_until = until;
      closing_.due = until;
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
  begin_closing(std::move(plan), total, now);
}

void PoolEngine::Impl::on(const input::Abort& in, TimePoint now) {
  if (mode_ == Mode::closing) {
    closing_.abort_wait = std::min(closing_.abort_wait, in.wait);
    if (closing_.step == Closing::Step::draining) {
      end_drain(now);
    } else {
      hurry_stragglers(now);
    }
    return;
  }
  Closing plan;
  plan.exit.kind = ExitKind::aborted;
  plan.exit.category = FailureCategory::cancelled;
  plan.abort_wait = in.wait;
  plan.cause = in.chain;
  begin_closing(std::move(plan), Duration::zero(), now);
}

void PoolEngine::Impl::begin_closing(Closing plan, Duration total, TimePoint now) {
  mode_ = Mode::closing;
  answer_all_shutting_down();
  closing_ = std::move(plan);
  if (closing_.abort_wait == Duration::zero()) closing_.abort_wait = pool_.shutdown.abort_wait;
  closing_.abort_wait = std::min(closing_.abort_wait, pool_.shutdown.abort_wait);
  closing_.drain_until = now + std::max(Duration::zero(), total - closing_.abort_wait);
  if (closing_.result == effect::Result::stopped && total > Duration::zero()) {
    emit(closing_.cause, events::ShutdownStageReached{ShutdownStage::graceful_drain});
  }
  const bool graceful = total > Duration::zero();
  for (auto i = table_.size(); i-- > 0;) {
    close_one(i, now);
    const auto phase = table_[i].phase;
    const bool asks = graceful && (phase == Phase::starting || phase == Phase::running);
    if (!asks) continue;
    table_[i].cause = closing_.cause;
    ask_to_stop(i, Asked::closing, closing_.stop_cause, now);
  }
  if (!graceful) {
    end_drain(now);
    return;
  }
  closing_.due = closing_.drain_until;
  pursue_closing(now);
}

// Counts what lives, and settles the account of what does not.
void PoolEngine::Impl::close_one(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  if (slot.phase == Phase::removed) return;
  slot.restart_wanted = false;
  if (is_live(slot.phase)) {
    ++closing_.awaited;
    return;
  }
  if (is_pending(slot.phase)) cancel_restart(i, "the pool stops", now);
  record_status(i,
                slot.phase == Phase::abandoned ? ChildShutdownOutcome::abort_failed
                                               : ChildShutdownOutcome::already_exited,
                now);
}

void PoolEngine::Impl::pursue_closing(TimePoint now) {
  if (closing_.step == Closing::Step::aborting) {
    if (closing_.straggling == 0) finish(now);
  } else if (closing_.awaited == 0) {
    abort_stragglers(now);
  }
}

void PoolEngine::Impl::on_closing_deadline(TimePoint now) {
  if (closing_.step == Closing::Step::draining) {
    end_drain(now);
  } else {
    abandon_stragglers(now);
  }
}

void PoolEngine::Impl::become_straggler(ChildIndex i) {
  auto& slot = at(i);
  if (slot.straggler || !is_live(slot.phase)) return;
  slot.straggler = true;
  deadlines_.disarm(i);
  --closing_.awaited;
  ++closing_.straggling;
  closing_.stragglers.push_back(i);
}

void PoolEngine::Impl::end_drain(TimePoint now) {
  for (auto i = table_.size(); i-- > 0;)
    become_straggler(i);
  abort_stragglers(now);
}

void PoolEngine::Impl::abort_stragglers(TimePoint now) {
  closing_.step = Closing::Step::aborting;
  closing_.due = never;
  if (closing_.straggling == 0) {
    finish(now);
    return;
  }
  emit(closing_.cause, events::ShutdownStageReached{ShutdownStage::abort_stragglers});
  for (const auto i : closing_.stragglers) {
    auto& slot = at(i);
    if (!is_live(slot.phase)) continue;
    if (slot.asked == Asked::nobody) slot.asked_at = now;
    slot.asked = Asked::closing;
    abort(i, now);
    deadlines_.disarm(i);  // They share one.
  }
  closing_.due = now + closing_.abort_wait;
}

// The parent waits for less than was reckoned with, and so do trees below.
void PoolEngine::Impl::hurry_stragglers(TimePoint now) {
  const auto until = now + closing_.abort_wait;
  if (closing_.due <= until) return;
  for (const auto i : closing_.stragglers) {
    if (!spec_->supervisor || !is_live(at(i).phase)) continue;
    abort(i, now);
    deadlines_.disarm(i);
  }
  closing_.due = until;
}

void PoolEngine::Impl::abandon_stragglers(TimePoint now) {
  for (const auto i : closing_.stragglers) {
    if (!is_live(at(i).phase)) continue;
    abandon(i, now);
    record_status(i, ChildShutdownOutcome::abort_failed, now);
  }
  closing_.straggling = 0;
  finish(now);
}

void PoolEngine::Impl::exited_while_closing(ChildIndex i, Phase before, Asked asked,
                                            TimePoint now) {
  if (table_[i].straggler) {
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
  record_status(i, outcome, now);
  pursue_closing(now);
}

void PoolEngine::Impl::record_status(ChildIndex i, ChildShutdownOutcome outcome, TimePoint now) {
  auto& slot = at(i);
  if (slot.reported) return;
  slot.reported = true;
  ChildShutdownStatus status;
  status.path = path_of(i);
  status.outcome = outcome;
  status.generation = shown(slot.generation);
  if (outcome != ChildShutdownOutcome::already_exited) status.took = now - slot.asked_at;
  if (slot.more && slot.more->last_exit) status.exit = *slot.more->last_exit;
  closing_.statuses.push_back(std::move(status));
  if (!slot.more) return;
  for (auto& below : slot.more->subtree) {
    const bool settled_before = outcome == ChildShutdownOutcome::already_exited &&
                                below.outcome != ChildShutdownOutcome::abort_failed;
    if (settled_before) below.outcome = ChildShutdownOutcome::already_exited;
    closing_.statuses.push_back(std::move(below));
  }
  slot.more->subtree.clear();
}

// It was given up before the closing began, and ended before the closing did.
void PoolEngine::Impl::record_late_end(ChildIndex i, TimePoint now) {
  const auto path = path_of(i);
  auto& statuses = closing_.statuses;
  const auto found = std::find_if(statuses.begin(), statuses.end(),
                                  [&](const auto& status) { return status.path == path; });
  if (found == statuses.end()) return;
  found->outcome = ChildShutdownOutcome::late_report;
  found->took = now - table_[i].asked_at;
  found->exit = *table_[i].more->last_exit;
}

void PoolEngine::Impl::finish(TimePoint) {
  if (mode_ == Mode::finished) return;
  mode_ = Mode::finished;
  closing_.due = never;
  emit(closing_.cause, events::TreeStopped{result_word(closing_.result)});
  out_.emplace_back(effect::Finished{closing_.result, std::move(closing_.exit),
                                     std::move(closing_.statuses), closing_.cause,
                                     closing_.ends_tree});
}

}  // namespace espalier::supervisor
