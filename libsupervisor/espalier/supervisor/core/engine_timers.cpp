#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

constexpr Duration gate_interval = std::chrono::milliseconds{200};

std::string what_of(const ProbeSpec& probe) {
  using Kind = ProbeSpec::Kind;
  const auto where =
      probe.socket.empty() ? probe.host + ":" + std::to_string(probe.port) : "unix:" + probe.socket;
  switch (probe.kind) {
    case Kind::exec:
      return probe.command.empty() ? "exec" : "exec " + probe.command.front();
    case Kind::tcp:
      return "tcp " + where;
    case Kind::http:
      return "http " + where + probe.path;
    case Kind::function:
      return "function " + probe.function;
  }
  return "";
}

}  // namespace

// A child has one slot in the heap; what is due there depends on its phase.
void SupervisorEngine::Impl::rearm(ChildIndex i) {
  const auto& child = children_[i];
  const auto probe = child.probe ? child.probe->due : never;
  auto due = never;
  if (child.phase == Phase::starting || child.phase == Phase::gated) {
    due = std::min(child.start_until, probe);
  } else if (child.phase == Phase::running) {
    due = std::min({child.alive_until, child.run_until, probe});
  } else {
    return;
  }
  if (due == never) {
    disarm(i);
  } else {
    arm(i, due);
  }
}

void SupervisorEngine::Impl::on_child_deadline(ChildIndex i) {
  auto& child = at(i);
  switch (child.phase) {
    case Phase::backing_off:
    case Phase::queued:
      start_child(i);
      break;
    case Phase::gated:
    case Phase::starting:
      on_starting_deadline(i);
      break;
    case Phase::running:
      on_running_deadline(i);
      break;
    case Phase::stopping:
    case Phase::aborting:
      if (mode_ == Mode::closing) {
        become_straggler(i);
        pursue_closing();
      } else if (child.phase == Phase::stopping) {
        abort_child(i);
      } else {
        give_up_on(i);
      }
      break;
    default:
      break;
  }
}

void SupervisorEngine::Impl::on_starting_deadline(ChildIndex i) {
  auto& child = children_[i];
  if (child.start_until > now_) {
    run_probe(i);
    rearm(i);
    return;
  }
  cancel_probe(i);
  if (child.phase == Phase::gated) {
    // What it waits for was never free: an attempt that failed before it began.
    const auto taken = child.status ? ": " + *child.status : "";
    child.gates_open = true;
    begin_attempt(i);
    out_.pop_back();
    ExitRecord exit;
    exit.kind = ExitKind::failed;
    exit.category = FailureCategory::external_dependency;
    exit.message = "not free within " + human(spec_of(i).policy.start_timeout) + taken;
    on(input::ChildExited{i, child.generation, exit});
    return;
  }
  child.forced = ExitKind::timed_out;
  child.asked = Asked::timeout;
  child.asked_at = now_;
  abort_child(i);
}

void SupervisorEngine::Impl::on_running_deadline(ChildIndex i) {
  const auto& child = children_[i];
  if (child.run_until <= now_) {
    end_for(i, ExitKind::timed_out, "", "");
  } else if (child.alive_until <= now_) {
    end_for(i, ExitKind::unhealthy, "watchdog", "");
  } else {
    if (child.probe && child.probe->due <= now_) run_probe(i);
    rearm(i);
  }
}

// `probe` is empty where nothing but its time was up.
void SupervisorEngine::Impl::end_for(ChildIndex i, ExitKind kind, const std::string& probe,
                                     const std::string& message) {
  auto& child = children_[i];
  child.forced = kind;
  child.asked = Asked::timeout;
  child.asked_at = now_;
  child.cause = {};
  if (!probe.empty()) {
    child.cause.caused_by = emit_child(i, events::ChildUnhealthy{probe, message});
    child.cause.correlation = child.cause.caused_by;
  }
  abort_child(i);
}

input::ProbePurpose SupervisorEngine::Impl::probe_purpose(ChildIndex i) const {
  const auto phase = children_[i].phase;
  if (phase == Phase::gated) return input::ProbePurpose::gate;
  return phase == Phase::starting ? input::ProbePurpose::readiness : input::ProbePurpose::health;
}

void SupervisorEngine::Impl::schedule_probe(ChildIndex i, TimePoint due) {
  auto& probe = children_[i].probe;
  if (!probe) probe = std::make_unique<ProbeState>();
  probe->due = due;
  if (due <= now_) run_probe(i);
  rearm(i);
}

void SupervisorEngine::Impl::run_probe(ChildIndex i) {
  auto& probe = children_[i].probe;
  if (!probe) probe = std::make_unique<ProbeState>();
  probe->due = never;
  probe->running = true;
  const auto purpose = probe_purpose(i);
  probe->number = ++last_probe_;
  effect::RunProbe what{i, purpose, probe->number, {}, {}};
  const auto& policy = spec_of(i).policy;
  if (purpose == input::ProbePurpose::gate) what.gates = spec_of(i).gates;
  if (purpose == input::ProbePurpose::readiness) what.probe = policy.readiness_probe;
  if (purpose == input::ProbePurpose::health) what.probe = policy.health_check;
  out_.emplace_back(std::move(what));
}

void SupervisorEngine::Impl::cancel_probe(ChildIndex i) {
  auto& probe = children_[i].probe;
  if (!probe) return;
  if (probe->running) out_.emplace_back(effect::CancelProbe{i, probe_purpose(i)});
  probe.reset();
}

void SupervisorEngine::Impl::on(const input::ProbeResult& in) {
  if (in.child >= children_.size()) return;
  auto& child = at(in.child);
  if (!child.probe || !child.probe->running || child.probe->number != in.number) return;
  const bool asked = child.phase == Phase::gated || child.phase == Phase::starting ||
                     child.phase == Phase::running;
  if (!asked || in.purpose != probe_purpose(in.child)) return;
  child.probe->running = false;
  child.probe->in_a_row = in.ok ? 0 : child.probe->in_a_row + 1;
  switch (in.purpose) {
    case input::ProbePurpose::gate:
      on_gate_result(in.child, in);
      break;
    case input::ProbePurpose::readiness:
      on_readiness_result(in.child, in);
      break;
    case input::ProbePurpose::health:
      on_health_result(in.child, in);
      break;
  }
}

void SupervisorEngine::Impl::on_gate_result(ChildIndex i, const input::ProbeResult& in) {
  auto& child = children_[i];
  if (in.ok) {
    child.probe.reset();
    child.gates_open = true;
    disarm(i);
    start_child(i);
    advance_sequence();
    return;
  }
  if (!child.status || *child.status != in.message) {
    child.status = std::make_shared<const std::string>(in.message);
    touch(i);
    emit_child(i, events::ChildBlocked{in.message});
  }
  schedule_probe(i, now_ + gate_interval);
}

void SupervisorEngine::Impl::on_readiness_result(ChildIndex i, const input::ProbeResult& in) {
  const auto probe = spec_of(i).policy.readiness_probe;
  if (!probe) return;
  if (in.ok) {
    become_ready(i);
    return;
  }
  emit_child(i, events::ProbeFailed{what_of(*probe), in.message, children_[i].probe->in_a_row, 0});
  schedule_probe(i, now_ + probe->interval);
}

void SupervisorEngine::Impl::on_health_result(ChildIndex i, const input::ProbeResult& in) {
  const auto check = spec_of(i).policy.health_check;
  if (!check) return;
  const auto in_a_row = children_[i].probe->in_a_row;
  if (!in.ok) {
    emit_child(i, events::ProbeFailed{what_of(*check), in.message, in_a_row, check->retries});
  }
  if (in_a_row >= std::max<std::uint32_t>(1, check->retries)) {
    end_for(i, ExitKind::unhealthy, what_of(*check), in.message);
    return;
  }
  schedule_probe(i, now_ + check->interval);
}

}  // namespace espalier::supervisor
