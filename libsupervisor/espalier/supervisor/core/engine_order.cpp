#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

Intent intent_of(CommandKind kind) {
  switch (kind) {
    case CommandKind::pause_child:
      return Intent::paused;
    case CommandKind::quarantine_child:
      return Intent::quarantined;
    case CommandKind::remove_child:
      return Intent::removed;
    default:
      return Intent::stopped;
  }
}

}  // namespace

void SupervisorEngine::Impl::on(const input::Order& in) {
  if (!in.command) return;
  Ticket ticket{in.ticket, false, in.command};
  if (mode_ == Mode::closing || mode_ == Mode::finished) {
    refuse(ticket, Error::Code::shutting_down, context_.path + " is stopping; nothing was changed");
    return;
  }
  const bool to_supervisor = in.child.empty();
  if (to_supervisor) {
    order_supervisor(ticket);
    return;
  }
  const auto child = find(in.child);
  if (!child) {
    const auto near = nearest_name(in.child);
    refuse(ticket, Error::Code::not_found,
           "no child " + join_path(context_.path, in.child) +
               (near.empty() ? "" : "; did you mean " + join_path(context_.path, near) + "?"));
    return;
  }
  if (auto stale = stale_generation(*in.command, shown(generation(*child)))) {
    refuse(ticket, stale->code, stale->message);
    return;
  }
  order_child(*child, ticket);
}

std::string SupervisorEngine::Impl::nearest_name(const std::string& name) {
  std::string best;
  std::size_t common = 1;
  for (const auto& [known, i] : names_) {
    const auto end = std::mismatch(name.begin(), name.end(), known.begin(), known.end()).first;
    const auto same = static_cast<std::size_t>(end - name.begin());
    const bool better = same > common || (same == common && !best.empty() && known < best);
    if (!better) continue;
    common = same;
    best = known;
  }
  return best;
}

void SupervisorEngine::Impl::order_child(ChildIndex i, const Ticket& ticket) {
  const auto kind = ticket.command->kind;
  switch (kind) {
    case CommandKind::start_child:
      return order_start(i, ticket);
    case CommandKind::restart_child:
      return order_restart(i, ticket);
    case CommandKind::resume_child:
      return order_resume(i, ticket);
    case CommandKind::pause_child:
    case CommandKind::stop_child:
    case CommandKind::quarantine_child:
      return order_down(i, ticket, intent_of(kind));
    case CommandKind::remove_child:
      return order_remove(i, ticket);
    case CommandKind::reset_child:
      return order_reset(i, ticket);
    case CommandKind::set_policy:
      return order_policy(i, ticket);
    default:
      refuse(ticket, Error::Code::wrong_kind,
             std::string{to_string(kind)} + " is for a supervisor or a pool, and " + path_of(i) +
                 " is a child of kind " + to_string(spec_of(i).kind));
  }
}

void SupervisorEngine::Impl::order_start(ChildIndex i, const Ticket& ticket) {
  const auto& child = at(i);
  switch (child.phase) {
    case Phase::running:
      return unchanged(i, ticket, "runs already");
    case Phase::suspended:
      return refuse(ticket, Error::Code::wrong_state, path_of(i) + " is suspended; resume it");
    case Phase::paused:
      return refuse(ticket, Error::Code::wrong_state, path_of(i) + " is paused; resume it");
    case Phase::quarantined:
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + " is quarantined; resume it to clear its counters, or restart it");
    case Phase::held:
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + " is held with its group; reset the group " + spec_of(i).group);
    case Phase::abandoned:
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + ": its attempt " + std::to_string(shown(child.generation)) +
                        " could not be ended and may still run; restart it to begin a new one " +
                        "once that has ended");
    default:
      break;
  }
  if (ticket.command->dry_run) return would(i, ticket, "start");
  wait_for(i, ticket);
  if (child.phase != Phase::starting) bring_up(i);
}

void SupervisorEngine::Impl::order_restart(ChildIndex i, const Ticket& ticket) {
  const auto phase = at(i).phase;
  if (ticket.command->dry_run) {
    return would(i, ticket, is_live(phase) ? "be stopped and start anew" : "start");
  }
  wait_for(i, ticket);
  const bool pending = children_[i].tickets && children_[i].tickets->back().joined;
  const bool under_way = pending && (phase == Phase::starting || children_[i].restart_wanted);
  if (!under_way) bring_up(i);
}

void SupervisorEngine::Impl::order_resume(ChildIndex i, const Ticket& ticket) {
  auto& child = at(i);
  switch (child.phase) {
    case Phase::paused:
    case Phase::quarantined:
    case Phase::suspended:
      break;
    case Phase::stopped:
    case Phase::idle:
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + " is not paused; start it or restart it");
    case Phase::held:
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + " is held with its group; reset the group " + spec_of(i).group);
    case Phase::abandoned:
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + ": its attempt " + std::to_string(shown(child.generation)) +
                        " could not be ended and may still run");
    case Phase::stopping:
    case Phase::aborting:
      if (child.intent == Intent::paused || child.intent == Intent::quarantined) break;
      return refuse(ticket, Error::Code::wrong_state,
                    path_of(i) + " is being stopped; start it once it has");
    default:
      return unchanged(i, ticket, "is not paused");
  }
  if (ticket.command->dry_run) return would(i, ticket, "go on");
  if (child.phase == Phase::suspended) {
    resume_suspended(i);
    return done(i, ticket, "goes on");
  }
  if (child.phase == Phase::quarantined) {
    child.window.clear();
    child.in_a_row = 0;
    child.last_delay = {};
  }
  emit_child(i, events::ChildResumed{});
  wait_for(i, ticket);
  bring_up(i);
}

// stop, pause, quarantine: down, and kept so in one of three ways.
void SupervisorEngine::Impl::order_down(ChildIndex i, const Ticket& ticket, Intent intent) {
  const auto phase = at(i).phase;
  const auto target = phase_wanted_by(ticket.command->kind);
  const auto word = std::string{to_string(target)};
  if (phase == target) {
    if (target == Phase::stopped) children_[i].intent = Intent::stopped;
    return unchanged(i, ticket, "is " + word + " already");
  }
  if (intent == Intent::paused && phase == Phase::suspended) {
    return unchanged(i, ticket, "is suspended already");
  }
  if (phase == Phase::abandoned) {
    return refuse(ticket, Error::Code::wrong_state,
                  path_of(i) + ": its attempt " + std::to_string(shown(children_[i].generation)) +
                      " could not be ended; it is not started while that may live");
  }
  if (phase == Phase::quarantined && intent == Intent::paused) {
    return refuse(ticket, Error::Code::wrong_state,
                  path_of(i) + " is quarantined and does not run; resume it or restart it");
  }
  if (ticket.command->dry_run) return would(i, ticket, "be " + word);
  if (intent == Intent::paused && try_suspend(i, ticket)) return;
  wait_for(i, ticket);
  bring_down(i, intent);
}

void SupervisorEngine::Impl::order_remove(ChildIndex i, const Ticket& ticket) {
  const auto phase = at(i).phase;
  if (phase == Phase::abandoned) {
    return refuse(ticket, Error::Code::wrong_state,
                  path_of(i) + ": its attempt " + std::to_string(shown(children_[i].generation)) +
                      " could not be ended and may still run, so it cannot be forgotten");
  }
  std::string used_by;
  if (!dependants_.empty() && !dependants_[i].empty()) used_by = path_of(dependants_[i].front());
  if (children_[i].sidecars && !children_[i].sidecars->empty()) {
    used_by = path_of(children_[i].sidecars->front());
  }
  if (!used_by.empty()) {
    return refuse(ticket, Error::Code::dependency,
                  used_by + " depends on " + path_of(i) + "; remove that one first");
  }
  if (ticket.command->dry_run) return would(i, ticket, "be stopped and removed");
  wait_for(i, ticket);
  bring_down(i, Intent::removed);
}

void SupervisorEngine::Impl::order_reset(ChildIndex i, const Ticket& ticket) {
  if (ticket.command->dry_run) return would(i, ticket, "begin with clear counters");
  auto& child = at(i);
  child.window.clear();
  child.in_a_row = 0;
  child.attempt = 0;
  child.last_delay = {};
  if (const auto& budget = spec_of(i).policy.budget) {
    child.bucket = std::make_unique<TokenBucket>(*budget);
  }
  touch(i);
  emit_child(i, Cause{}, events::FuseReset{"command"});
  done(i, ticket, "has clear counters");
}

// Holds for what comes: a timer that is armed stays as it is, except those of health and life.
void SupervisorEngine::Impl::order_policy(ChildIndex i, const Ticket& ticket) {
  if (!ticket.command->spec) {
    return refuse(ticket, Error::Code::invalid_spec, "set_policy needs a policy");
  }
  const auto& policy = ticket.command->spec->policy;
  if (spec_of(i).significant && policy.restart == RestartType::permanent) {
    return refuse(ticket, Error::Code::invalid_spec,
                  path_of(i) + " is significant and cannot be permanent: it would never end");
  }
  if (ticket.command->dry_run) return would(i, ticket, "have the new policy");
  auto spec = std::make_shared<ChildSpec>(spec_of(i));
  spec->policy = policy;
  auto& child = at(i);
  if (policy.budget && child.bucket) {
    child.bucket->set(*policy.budget);
  } else {
    child.bucket = policy.budget ? std::make_unique<TokenBucket>(*policy.budget) : nullptr;
  }
  specs_[i] = std::move(spec);
  if (child.phase == Phase::running) {
    cancel_probe(i);
    child.alive_until = policy.watchdog > Duration::zero() ? now_ + policy.watchdog : never;
    child.run_until =
        policy.run_timeout > Duration::zero() ? child.ready_at + policy.run_timeout : never;
    if (policy.health_check) schedule_probe(i, now_ + policy.health_check->interval);
    rearm(i);
  }
  touch(i);
  done(i, ticket, "has the new policy");
}

bool SupervisorEngine::Impl::try_suspend(ChildIndex i, const Ticket& ticket) {
  auto& child = children_[i];
  if (!spec_of(i).can_suspend || child.phase != Phase::running) return false;
  cancel_probe(i);
  disarm(i);
  child.intent = Intent::paused;
  become(i, Phase::suspended);
  out_.emplace_back(effect::SuspendChild{i, child.generation, true});
  emit_child(i, events::ChildSuspended{});
  done(i, ticket, "is suspended");
  return true;
}

void SupervisorEngine::Impl::resume_suspended(ChildIndex i) {
  auto& child = children_[i];
  const auto& policy = spec_of(i).policy;
  if (child.run_until != never) child.run_until += now_ - child.since;
  if (policy.watchdog > Duration::zero()) child.alive_until = now_ + policy.watchdog;
  child.intent = Intent::run;
  become(i, Phase::running);
  if (policy.health_check) schedule_probe(i, now_ + policy.health_check->interval);
  rearm(i);
  out_.emplace_back(effect::SuspendChild{i, child.generation, false});
  emit_child(i, events::ChildResumed{});
}

}  // namespace espalier::supervisor
