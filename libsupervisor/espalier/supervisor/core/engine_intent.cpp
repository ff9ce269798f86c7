#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

// A new attempt as soon as there can be one.
void SupervisorEngine::Impl::bring_up(ChildIndex i) {
  auto& child = at(i);
  supersede(i, false);
  child.intent = Intent::run;
  switch (child.phase) {
    case Phase::starting:
    case Phase::running:
    case Phase::suspended:
      child.restart_wanted = true;
      ask_to_stop(i, Asked::restart_command, StopCause::command);
      break;
    case Phase::stopping:
    case Phase::aborting:
    case Phase::abandoned:
      child.restart_wanted = true;
      child.forced.reset();
      break;
    case Phase::backing_off:
    case Phase::queued:
      cancel_wait(i, "restarted by command");
      [[fallthrough]];
    default:
      start_by_command(i);
      advance_sequence();
  }
}

void SupervisorEngine::Impl::bring_down(ChildIndex i, Intent intent) {
  auto& child = at(i);
  supersede(i, true);
  child.restart_wanted = false;
  child.intent = intent;
  child.held = true;
  switch (child.phase) {
    case Phase::starting:
    case Phase::running:
    case Phase::suspended:
      ask_to_stop(i, Asked::command, StopCause::command);
      return;
    case Phase::stopping:
    case Phase::aborting:
      child.asked = Asked::command;
      child.forced.reset();
      touch(i);
      return;
    default:
      break;
  }
  if (is_waiting(child.phase) || awaits_scope_restart(i)) {
    cancel_wait(i, std::string{to_string(intent)} + " by command");
  }
  land(i);
  advance_sequence();
}

// Down, as an operator wanted it.
void SupervisorEngine::Impl::land(ChildIndex i) {
  const auto& tickets = children_[i].tickets;
  const std::string by = tickets ? tickets->back().command->meta.requested_by : "";
  switch (children_[i].intent) {
    case Intent::paused:
      become(i, Phase::paused);
      emit_child(i, events::ChildPaused{});
      break;
    case Intent::quarantined:
      become(i, Phase::quarantined);
      emit_child(i, events::ChildQuarantined{by.empty() ? "with its scope" : "by " + by});
      break;
    case Intent::removed:
      if (const auto* orphan = orphan_below(i)) return refuse_removal(i, *orphan);
      stop_linked_sidecars(i);
      emit_child(i, events::ChildRemoved{by.empty() ? "a reload" : by});
      forget_child(i);
      if (!sequence_.active && scope_.step == Scope::Step::none) compact_order();
      return;
    case Intent::run:
    case Intent::stopped:
      become(i, Phase::stopped);
      emit_child(i, events::ChildStopped{});
      break;
  }
  stop_linked_sidecars(i);
}

// Its path must not be free: what comes there next would start the orphan's child a second time.
void SupervisorEngine::Impl::refuse_removal(ChildIndex i, const std::string& orphan) {
  const auto why = orphan + " could not be ended and may still run";
  children_[i].intent = Intent::quarantined;
  answer_all(i, Error::Code::wrong_state,
             why + ", so " + path_of(i) + " cannot be forgotten; it is quarantined");
  become(i, Phase::quarantined);
  emit_child(i, events::ChildQuarantined{why});
  stop_linked_sidecars(i);
}

// A scope that has yet to start this child does so in its own time.
void SupervisorEngine::Impl::start_by_command(ChildIndex i) {
  auto& child = children_[i];
  child.held = false;
  child.intent = Intent::run;
  child.restart_wanted = false;
  child.counted_restart = false;
  if (awaits_scope_restart(i) || awaits_sequence(i)) {
    become(i, Phase::idle);
  } else {
    start_child(i);
  }
}

void SupervisorEngine::Impl::stop_linked_sidecars(ChildIndex primary) {
  if (!children_[primary].sidecars || mode_ == Mode::closing) return;
  const auto linked = *children_[primary].sidecars;
  for (const auto i : linked) {
    auto& child = at(i);
    const bool down = !is_live(child.phase) && !is_waiting(child.phase);
    if (down || child.intent != Intent::run) continue;
    child.cause = children_[primary].cause;
    bring_down(i, Intent::stopped);
    children_[i].by_primary = true;
  }
}

void SupervisorEngine::Impl::start_linked_sidecars(ChildIndex primary) {
  if (!children_[primary].sidecars || mode_ == Mode::closing) return;
  const auto linked = *children_[primary].sidecars;
  for (const auto i : linked) {
    const bool waits = at(i).by_primary && children_[i].phase == Phase::stopped;
    if (waits && !orphan_below(i)) start_by_command(i);
  }
}

// Granted only where the spec says so: a child that misbehaves must not end its tree, nor undo
// what an operator has just asked for.
void SupervisorEngine::Impl::on(const input::ChildAsks& in) {
  if (!is_current(in.child, in.generation)) return;
  const auto& may = spec_of(in.child).permissions;
  const bool restart = in.wish == input::Wish::restart;
  const bool wanted_up = children_[in.child].intent == Intent::run;
  const bool granted = restart ? may.restart && wanted_up : may.shutdown;
  auto cause = children_[in.child].cause;
  cause.caused_by = emit_child(
      in.child, events::ChildAsked{restart ? "restart" : "shutdown", in.reason, granted});
  if (cause.correlation == 0) cause.correlation = cause.caused_by;
  if (!granted || mode_ == Mode::closing) return;
  if (restart) {
    children_[in.child].cause = cause;
    bring_up(in.child);
  } else {
    out_.emplace_back(effect::EndTree{path_of(in.child) + " asks: " + in.reason, cause});
  }
}

}  // namespace espalier::supervisor
