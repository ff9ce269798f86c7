#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <utility>

namespace espalier::supervisor {

void PoolEngine::Impl::order_instance(const input::Order& in, ChildIndex i, TimePoint now) {
  const auto& slot = at(i);
  const auto kind = in.command->kind;
  if (!slot.member && kind != CommandKind::remove_child) {
    refuse(in, i, Error::Code::wrong_state, path_of(i) + " is being removed");
    return;
  }
  switch (kind) {
    case CommandKind::remove_child:
      remove(in, i, now);
      break;
    case CommandKind::restart_child:
      restart(in, i, now);
      break;
    case CommandKind::resume_child:
      if (slot.intent != Intent::quarantined && (is_live(slot.phase) || is_pending(slot.phase))) {
        done(in, i, path_of(i) + " is not held", false);
      } else {
        restart(in, i, now);
      }
      break;
    case CommandKind::quarantine_child:
      quarantine(in, i, now);
      break;
    case CommandKind::reset_child:
      reset(in, i);
      break;
    case CommandKind::set_policy:
      refuse(in, i, Error::Code::wrong_kind,
             "all instances of a pool share one policy: set it on " + context_.path);
      break;
    default:
      refuse(in, i, Error::Code::wrong_kind,
             std::string{to_string(kind)} + " is not for an instance of a pool: " + path_of(i) +
                 " takes restart_child, remove_child, quarantine_child, resume_child and "
                 "reset_child");
      break;
  }
}

void PoolEngine::Impl::remove(const input::Order& in, ChildIndex i, TimePoint now) {
  const auto& slot = table_[i];
  const bool joins = !slot.member;
  if (!joins && table_.members() <= pool_.min) {
    refuse(in, i, Error::Code::limit_reached,
           context_.path + " keeps at least " + std::to_string(pool_.min) + ": add one first");
  } else if (in.command->dry_run) {
    would(in, i, "remove " + path_of(i));
  } else if (joins && slot.phase == Phase::abandoned) {
    done(in, i, path_of(i) + " is removed, but could not be ended and may still run", false);
  } else {
    redirect(i, Aim::gone);
    const auto operation = accept(in, Aim::gone, i, path_of(i) + " was removed");
    operations_.at(operation).joined = joins;
    wait_for(operation, i);
    if (joins) return;
    if (slot.phase == Phase::running) table_[i].cause = {};
    begin_removal(i, in.command->meta.requested_by, now);
  }
}

// It counts no longer; what lives is stopped, what does not is forgotten.
void PoolEngine::Impl::begin_removal(ChildIndex i, const std::string& by, TimePoint now) {
  auto& slot = at(i);
  table_.retire(i);
  details(i).remover = by;
  slot.intent = Intent::removed;
  slot.restart_wanted = false;
  slot.counted_restart = slot.counted_restart && is_pending(slot.phase);
  touch(i);
  if (slot.phase == Phase::starting || slot.phase == Phase::running) {
    ask_to_stop(i, Asked::command, StopCause::command, now);
  } else if (slot.phase == Phase::abandoned) {
    reached(i, Aim::gone);
  } else if (!is_live(slot.phase)) {
    if (is_pending(slot.phase)) cancel_restart(i, "it is removed", now);
    forget(i, by, now);
  }
}

void PoolEngine::Impl::restart(const input::Order& in, ChildIndex i, TimePoint now) {
  const bool resumes = in.command->kind == CommandKind::resume_child;
  if (in.command->dry_run) {
    would(in, i, std::string{resumes ? "resume " : "restart "} + path_of(i));
    return;
  }
  redirect(i, Aim::up);
  const auto operation =
      accept(in, Aim::up, i, path_of(i) + (resumes ? " was resumed" : " was restarted"));
  operations_.at(operation).joined = table_[i].restart_wanted;
  wait_for(operation, i);
  if (resumes) clear_counters(i);
  begin_restart(i, now);
}

void PoolEngine::Impl::begin_restart(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  slot.intent = Intent::run;
  slot.counted_restart = slot.counted_restart && is_pending(slot.phase);
  if (is_live(slot.phase) || slot.phase == Phase::abandoned) {
    slot.restart_wanted = true;
    if (slot.phase != Phase::starting && slot.phase != Phase::running) return;
    slot.cause = {};
    ask_to_stop(i, Asked::command, StopCause::command, now);
    return;
  }
  if (is_pending(slot.phase)) {
    cancel_restart(i, "restarted at once", now);
  } else {
    emit_child(i, Cause{}, events::ChildResumed{});
  }
  slot.cause = {};
  pass_gates(i, now);
}

void PoolEngine::Impl::quarantine(const input::Order& in, ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  const bool waits = slot.phase == Phase::abandoned && slot.restart_wanted;
  if (!waits && (slot.phase == Phase::quarantined || slot.phase == Phase::abandoned)) {
    done(in, i, path_of(i) + " is quarantined already", false);
    return;
  }
  if (in.command->dry_run) {
    would(in, i, "quarantine " + path_of(i));
    return;
  }
  const bool joins = slot.intent == Intent::quarantined;
  redirect(i, Aim::held);
  const auto operation = accept(in, Aim::held, i, path_of(i) + " is quarantined");
  operations_.at(operation).joined = joins;
  wait_for(operation, i);
  if (joins) return;
  slot.intent = Intent::quarantined;
  slot.restart_wanted = false;
  slot.trial = false;
  if (slot.phase == Phase::starting || slot.phase == Phase::running) {
    slot.counted_restart = false;
    slot.cause = {};
    ask_to_stop(i, Asked::command, StopCause::command, now);
  } else if (slot.phase == Phase::abandoned) {
    reached(i, Aim::held);
  } else if (!is_live(slot.phase)) {
    if (is_pending(slot.phase)) cancel_restart(i, "it is quarantined", now);
    enter(i, Phase::quarantined, now);
    emit_child(i, events::ChildQuarantined{"wanted by " + in.command->meta.requested_by});
    settle_initial(i, now);
    reached(i, Aim::held);
  }
}

void PoolEngine::Impl::reset(const input::Order& in, ChildIndex i) {
  if (in.command->dry_run) {
    would(in, i, "clear the counters of " + path_of(i));
    return;
  }
  clear_counters(i);
  emit_child(i, Cause{}, events::FuseReset{"cleared by " + in.command->meta.requested_by});
  done(in, i, "the counters of " + path_of(i) + " are cleared", true);
}

void PoolEngine::Impl::clear_counters(ChildIndex i) {
  auto& slot = table_[i];
  slot.in_a_row = 0;
  slot.attempt = is_live(slot.phase) ? 1 : 0;
  if (slot.more) {
    slot.more->window.clear();
    slot.more->last_delay = {};
  }
  touch(i);
}

void PoolEngine::Impl::on(const input::ChildAsks& in, TimePoint now) {
  if (!is_current(in.child, in.generation)) return;
  auto& slot = table_[in.child];
  const bool restarts = in.wish == input::Wish::restart;
  const bool granted = restarts ? spec_->permissions.restart : spec_->permissions.shutdown;
  const auto sequence = emit_child(
      in.child, Cause{}, events::ChildAsked{restarts ? "restart" : "shutdown", in.reason, granted});
  const Cause cause{sequence, sequence};
  if (!granted || mode_ == Mode::closing) return;
  if (!restarts) {
    out_.emplace_back(effect::EndTree{in.reason, cause});
  } else if (slot.phase == Phase::starting || slot.phase == Phase::running) {
    slot.restart_wanted = true;
    slot.cause = cause;
    ask_to_stop(in.child, Asked::command, StopCause::command, now);
  }
}

}  // namespace espalier::supervisor
