#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

bool wants_up(CommandKind kind) {
  return kind == CommandKind::start_child || kind == CommandKind::restart_child ||
         kind == CommandKind::resume_child || kind == CommandKind::add_child;
}

}  // namespace

// The phase in which a command that brings a child down is done.
ChildPhase SupervisorEngine::Impl::phase_wanted_by(CommandKind kind) {
  switch (kind) {
    case CommandKind::pause_child:
      return ChildPhase::paused;
    case CommandKind::quarantine_child:
      return ChildPhase::quarantined;
    case CommandKind::remove_child:
      return ChildPhase::removed;
    default:
      return ChildPhase::stopped;
  }
}

void SupervisorEngine::Impl::wait_for(ChildIndex i, const Ticket& ticket) {
  auto& tickets = children_[i].tickets;
  if (!tickets) tickets = std::make_unique<std::vector<Ticket>>();
  const bool same = std::any_of(tickets->begin(), tickets->end(), [&](const auto& other) {
    return other.command->kind == ticket.command->kind;
  });
  tickets->push_back(ticket);
  tickets->back().joined = same;
}

// What an earlier command wanted cannot come about any more.
void SupervisorEngine::Impl::supersede(ChildIndex i, bool those_for_up) {
  auto& tickets = children_[i].tickets;
  if (!tickets) return;
  const auto newest = tickets->back().command->kind;
  std::vector<Ticket> undone;
  std::erase_if(*tickets, [&](const auto& ticket) {
    const auto kind = ticket.command->kind;
    const bool hit = kind != newest && (those_for_up || !wants_up(kind));
    if (hit) undone.push_back(ticket);
    return hit;
  });
  for (const auto& ticket : undone) {
    refuse(ticket, Error::Code::superseded,
           path_of(i) + ": a later " + to_string(newest) + " undid it");
  }
}

void SupervisorEngine::Impl::answer_tickets(ChildIndex i) {
  const auto phase = children_[i].phase;
  const auto tickets = std::exchange(children_[i].tickets, nullptr);
  std::vector<Ticket> left;
  const bool down = phase == Phase::stopped || phase == Phase::paused ||
                    phase == Phase::quarantined || phase == Phase::held ||
                    phase == Phase::backing_off || phase == Phase::removed;
  for (const auto& ticket : *tickets) {
    const auto kind = ticket.command->kind;
    const auto& exit = children_[i].last_exit;
    const bool completed = wants_up(kind) && phase == Phase::stopped && exit && !exit->is_failure();
    const bool there = wants_up(kind) ? phase == Phase::running : phase == phase_wanted_by(kind);
    if (there || completed) {
      const bool runs = phase == Phase::running;
      done(i, ticket, runs ? "runs" : "is " + std::string{to_string(phase)});
    } else if (phase == Phase::abandoned && !children_[i].restart_wanted) {
      refuse(ticket, Error::Code::wrong_state,
             path_of(i) + ": its attempt " + std::to_string(shown(children_[i].generation)) +
                 " could not be ended and may still run");
    } else if (wants_up(kind) && down && children_[i].last_exit && phase != Phase::paused) {
      refuse(ticket, Error::Code::start_failed,
             path_of(i) + " did not start: " + describe(*children_[i].last_exit) + "; it is " +
                 to_string(phase));
    } else {
      left.push_back(ticket);
    }
  }
  if (!left.empty()) children_[i].tickets = std::make_unique<std::vector<Ticket>>(left);
}

void SupervisorEngine::Impl::answer_all(ChildIndex i, Error::Code code,
                                        const std::string& message) {
  const auto tickets = std::exchange(children_[i].tickets, nullptr);
  if (!tickets) return;
  for (const auto& ticket : *tickets)
    refuse(ticket, code, message);
}

void SupervisorEngine::Impl::would(ChildIndex i, const Ticket& ticket, const std::string& text) {
  CommandOutcome outcome;
  outcome.path = path_of(i);
  outcome.text = outcome.path + " would " + text;
  outcome.changed = false;
  outcome.plan = {outcome.text};
  outcome.phase = children_[i].phase;
  outcome.generation = shown(children_[i].generation);
  out_.emplace_back(effect::Reply{ticket.number, std::move(outcome)});
}

void SupervisorEngine::Impl::unchanged(ChildIndex i, const Ticket& ticket,
                                       const std::string& text) {
  CommandOutcome outcome;
  outcome.path = path_of(i);
  outcome.text = outcome.path + " " + text;
  outcome.changed = false;
  outcome.phase = children_[i].phase;
  outcome.generation = shown(children_[i].generation);
  reply(ticket, std::move(outcome));
}

void SupervisorEngine::Impl::done(ChildIndex i, const Ticket& ticket, const std::string& text) {
  CommandOutcome outcome;
  outcome.path = path_of(i);
  outcome.text = outcome.path + " " + text;
  outcome.phase = children_[i].phase;
  outcome.generation = shown(children_[i].generation);
  reply(ticket, std::move(outcome));
}

void SupervisorEngine::Impl::reply(const Ticket& ticket, CommandOutcome outcome) {
  outcome.joined = ticket.joined;
  tell_command(ticket, outcome.changed ? "done" : "unchanged", outcome.text);
  out_.emplace_back(effect::Reply{ticket.number, std::move(outcome)});
}

void SupervisorEngine::Impl::refuse(const Ticket& ticket, Error::Code code,
                                    const std::string& message) {
  tell_command(ticket, to_string(code), message);
  out_.emplace_back(effect::Reply{ticket.number, unexpected<Error>(Error{code, message})});
}

void SupervisorEngine::Impl::tell_command(const Ticket& ticket, const std::string& result,
                                          const std::string& text) {
  const auto& command = *ticket.command;
  emit(Cause{}, events::CommandDone{to_string(command.kind), command.meta.requested_by,
                                    command.meta.reason, result, text, child_of(command)});
}

}  // namespace espalier::supervisor
