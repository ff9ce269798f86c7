#include "espalier/supervisor/core/internal/engine_impl.hpp"

namespace espalier::supervisor {

void SupervisorEngine::Impl::on(const input::StopOne& in, TimePoint now) {
  if (in.child >= children_.size() || mode_ == Mode::closing) return;
  auto& child = at(in.child);
  child.restart_wanted = false;
  if (child.phase == Phase::quarantined || child.phase == Phase::abandoned) return;
  child.held = true;
  switch (child.phase) {
    case Phase::starting:
    case Phase::running:
      ask_to_stop(in.child, Asked::command, StopCause::command, now);
      break;
    case Phase::stopping:
    case Phase::aborting:
      child.asked = Asked::command;
      child.forced.reset();
      break;
    case Phase::backing_off:
    case Phase::blocked:
      cancel_restart(in.child, "stopped by command");
      [[fallthrough]];
    default:
      if (child.phase != Phase::stopped) {
        if (awaits_scope_restart(in.child)) cancel_restart(in.child, "stopped by command");
        child.phase = Phase::stopped;
        emit_child(in.child, events::ChildStopped{});
      }
      advance_sequence(now);
  }
}

void SupervisorEngine::Impl::on(const input::RestartOne& in, TimePoint now) {
  if (in.child >= children_.size() || mode_ == Mode::closing || mode_ == Mode::idle) return;
  auto& child = at(in.child);
  switch (child.phase) {
    case Phase::starting:
    case Phase::running:
      child.restart_wanted = true;
      ask_to_stop(in.child, Asked::restart_command, StopCause::command, now);
      break;
    case Phase::stopping:
    case Phase::aborting:
    case Phase::abandoned:
      child.restart_wanted = true;
      child.forced.reset();
      break;
    case Phase::backing_off:
      cancel_restart(in.child, "restarted by command");
      [[fallthrough]];
    default:
      start_by_command(in.child, now);
  }
}

// A scope that has yet to start this child does so in its own time.
void SupervisorEngine::Impl::start_by_command(ChildIndex i, TimePoint now) {
  auto& child = children_[i];
  child.held = false;
  child.restart_wanted = false;
  child.counted_restart = false;
  const auto position = position_[i];
  const bool sequence_will = sequence_.active && position >= sequence_.next;
  if (awaits_scope_restart(i) || sequence_will) {
    child.phase = Phase::idle;
  } else {
    start_child(i, now);
  }
}

void SupervisorEngine::Impl::on(const input::ResetOne& in, TimePoint) {
  if (in.child >= children_.size()) return;
  auto& child = at(in.child);
  child.window.clear();
  child.in_a_row = 0;
  child.attempt = 0;
  child.last_delay = {};
  emit_child(in.child, Cause{}, events::FuseReset{"command"});
}

}  // namespace espalier::supervisor
