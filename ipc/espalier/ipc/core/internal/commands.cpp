#include "espalier/ipc/core/internal/commands.hpp"

#include "espalier/ipc/core/internal/command_request.hpp"
#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/envelope.hpp"

#include <algorithm>

namespace espalier::ipc::internal {

using supervisor::CommandResult;

namespace {

std::string words_of(const WireError& error) {
  return to_string(error.code);
}

}  // namespace

Commands::Commands(const supervisor::DashboardSecurity& rules, Target& target, Auditor& audit,
                   Service::Post post, Send send)
    : rules_(rules),
      target_(target),
      audit_(audit),
      post_(std::move(post)),
      send_(std::move(send)),
      target_id_(target.info().target_id),
      ledger_(rules.command_lifetime, ledger_capacity) {}

std::optional<ErrorCode> Commands::start(Call call, const Moment& at) {
  const auto problem = admit(call, at);
  if (!problem) return {};
  auto record = record_of_call(call, at);
  record.decision = "refused";
  record.control = to_string(problem->stage);
  record.detail = words_of(*problem);
  audit_.note(std::move(record), Auditor::Sort::control, at.now);
  send_(call.connection, error_line(call.id_json, *problem, target_id_));
  return problem->code;
}

Commands::Problem Commands::admit(Call& call, const Moment& at) {
  if (auto problem = confirmation_problem(*call.method, call.params)) return problem;
  if (auto problem = params_problem(kind_of(*call.method), call.params)) return problem;
  CommandLedger::Look look;
  name(call.params, call.peer.uid, content_of(*call.method, call.params), at, look);
  using Verdict = CommandLedger::Verdict;
  switch (look.verdict) {
    case Verdict::fresh:
      break;
    case Verdict::running:
      wait(by_id_.at({call.peer.uid, *call.params.command_id}), call, true, at);
      return {};
    case Verdict::answered:
      repeat(call, *look.answer, at);
      return {};
    case Verdict::mismatch:
      return WireError{ErrorCode::replay_mismatch,
                       Stage::idempotency,
                       "command_id " + *call.params.command_id +
                           " belongs to another command, sent before; nothing was done: "
                           "send this one under an id of its own",
                       false,
                       {}};
  }
  auto problem = run(call, at);
  if (problem) ledger_.forget(call.peer.uid, *call.params.command_id);
  return problem;
}

// Opens the ledger; a command without an id gets one that nobody has used.
void Commands::name(CommandParams& params, std::uint32_t uid, const std::string& content,
                    const Moment& at, CommandLedger::Look& look) {
  if (params.command_id) {
    look = ledger_.open(uid, *params.command_id, content, at.now);
    return;
  }
  do {
    params.command_id = "made-" + std::to_string(++names_);
    // The name in the content makes it unlike any command that was sent under this id.
    look = ledger_.open(uid, *params.command_id, content + *params.command_id, at.now);
  } while (look.verdict != CommandLedger::Verdict::fresh);
}

Commands::Problem Commands::run(const Call& call, const Moment& at) {
  if (auto problem = check_room(call.peer.uid)) return problem;
  auto command = command_of(kind_of(*call.method), call.params, call.peer.uid, target_,
                            rules_.allowed_commands);
  if (!command) return command.error();
  auto record = record_of_call(call, at);
  record.decision = "accepted";
  record.control = to_string(Stage::execution);
  if (command->dry_run) record.detail = "dry run";
  if (!audit_.write(std::move(record))) {
    return WireError{ErrorCode::audit_unavailable,
                     Stage::audit,
                     "the audit cannot be written, so nothing was done; see to its disk, then send "
                     "the command again",
                     true,
                     {}};
  }
  execute(std::move(*command), call, at);
  return {};
}

Commands::Problem Commands::check_room(std::uint32_t uid) const {
  if (running_.size() < most_running_of_a_user) return {};
  const auto own = std::ranges::count(running_, uid, [](const auto& x) { return x.second.uid; });
  if (static_cast<std::size_t>(own) < most_running_of_a_user) return {};
  return WireError{ErrorCode::limit_reached,
                   Stage::execution,
                   std::to_string(own) +
                       " commands of this user are under way, as many as may be; "
                       "wait for some of them",
                   true,
                   {}};
}

// Nothing runs, so it is answered even where the audit cannot be written.
void Commands::repeat(const Call& call, const CommandAnswer& answer, const Moment& at) {
  auto record = record_of_call(call, at);
  record.decision = to_string(answer.status);
  record.control = to_string(Stage::idempotency);
  record.detail = "answered as the first time; nothing ran again";
  audit_.note(std::move(record), Auditor::Sort::control, at.now);
  reply({call.connection, call.id_json, at.now, true}, answer);
}

void Commands::execute(supervisor::Command command, const Call& call, const Moment& at) {
  const auto ticket = ++tickets_;
  Running running;
  running.record = record_of_call(call, at);
  running.uid = call.peer.uid;
  running.command_id = *call.params.command_id;
  by_id_[{running.uid, running.command_id}] = ticket;
  running_.emplace(ticket, std::move(running));
  target_.execute(std::move(command),
                  [post = post_, weak = weak_from_this(), ticket](const CommandResult& result) {
                    post([weak, ticket, result] {
                      if (const auto self = weak.lock()) self->ended(ticket, result);
                    });
                  });
  wait(ticket, call, false, at);
}

void Commands::wait(Ticket ticket, const Call& call, bool repeated, const Moment& at) {
  const auto wait_ms = call.params.timeout_ms.value_or(call.method->timeout_ms);
  Waiter waiter{call.connection, call.id_json, at.now + std::chrono::milliseconds{wait_ms},
                repeated};
  auto& running = running_.at(ticket);
  if (wait_ms != 0) {
    running.waiters.push_back(std::move(waiter));
    return;
  }
  CommandAnswer answer;
  answer.command_id = running.command_id;
  answer.status = CommandStatus::accepted;
  reply(waiter, std::move(answer));
}

void Commands::ended(Ticket ticket, const CommandResult& result) {
  ended_.emplace_back(ticket, result);
}

void Commands::tick(const Moment& at) {
  for (auto& [ticket, result] : std::exchange(ended_, {}))
    finish(ticket, result, at);
  for (auto& [ticket, running] : running_)
    give_up(running, at);
}

void Commands::finish(Ticket ticket, const CommandResult& result, const Moment& at) {
  const auto found = running_.find(ticket);
  if (found == running_.end()) return;
  const auto running = std::move(found->second);
  running_.erase(found);
  by_id_.erase({running.uid, running.command_id});

  CommandAnswer answer;
  answer.command_id = running.command_id;
  auto record = running.record;
  record.at = at.wall;
  record.control = to_string(Stage::execution);
  if (result) {
    answer.outcome = outcome_of(*result);
    record.detail = cut(result->text, 1000);
  } else {
    const auto error = error_of(result.error());
    answer.status = CommandStatus::rejected;
    answer.error = body_of(error, target_id_);
    record.control = to_string(error.stage);
    record.detail = words_of(error) + ": " + cut(error.message, 1000);
  }
  record.decision = to_string(answer.status);
  ledger_.close(running.uid, running.command_id, answer, at.now);
  // It is done; that this cannot be kept is no reason to keep it from who waits.
  static_cast<void>(audit_.write(std::move(record)));
  for (const auto& waiter : running.waiters)
    reply(waiter, answer);
}

// The command goes on; who asks again under its id waits again.
void Commands::give_up(Running& running, const Moment& at) {
  const auto is_late = [&](const Waiter& waiter) { return waiter.deadline <= at.now; };
  const auto late = std::stable_partition(running.waiters.begin(), running.waiters.end(),
                                          [&](const auto& waiter) { return !is_late(waiter); });
  if (late == running.waiters.end()) return;
  auto record = running.record;
  record.at = at.wall;
  record.decision = to_string(CommandStatus::timed_out);
  record.control = to_string(Stage::execution);
  record.detail = "not done in time; it goes on";
  static_cast<void>(audit_.write(std::move(record)));
  CommandAnswer answer;
  answer.command_id = running.command_id;
  answer.status = CommandStatus::timed_out;
  for (auto waiter = late; waiter != running.waiters.end(); ++waiter)
    reply(*waiter, answer);
  running.waiters.erase(late, running.waiters.end());
}

void Commands::reply(const Waiter& waiter, CommandAnswer answer) {
  if (answer.error) {
    const auto error = ipc::error_of(*answer.error);
    return send_(waiter.connection, error_line(waiter.id_json, error, target_id_));
  }
  if (waiter.repeated) answer.repeated = true;
  std::string text;
  encode(text, answer);
  send_(waiter.connection, ok_line(waiter.id_json, text));
}

AuditRecord Commands::record_of_call(const Call& call, const Moment& at) const {
  auto record = record_of(call.peer, at.wall);
  record.method = call.method->name;
  record.request_id = call.id;
  const auto& params = call.params;
  if (params.command_id) record.command_id = cut(*params.command_id);
  if (params.path) record.path = cut(*params.path, 1024);
  record.requested_by = cut(params.requested_by, 1000);
  record.reason = cut(params.reason, 1000);
  return record;
}

std::optional<supervisor::TimePoint> Commands::next_deadline() const {
  if (!ended_.empty()) return supervisor::TimePoint::min();
  std::optional<supervisor::TimePoint> first;
  for (const auto& [ticket, running] : running_)
    for (const auto& waiter : running.waiters)
      if (!first || waiter.deadline < *first) first = waiter.deadline;
  return first;
}

bool Commands::is_waited_for(ConnectionId connection) const {
  return std::ranges::any_of(running_, [&](const auto& x) {
    return std::ranges::find(x.second.waiters, connection, &Waiter::connection) !=
           x.second.waiters.end();
  });
}

void Commands::close(ConnectionId connection) {
  for (auto& [ticket, running] : running_)
    std::erase_if(running.waiters, [&](const auto& x) { return x.connection == connection; });
}

void Commands::end(const std::string& reason) {
  const WireError error{ErrorCode::gone,
                        Stage::execution,
                        "the tree has ended before this was done: " + reason,
                        false,
                        {}};
  for (auto& [ticket, running] : running_)
    for (const auto& waiter : std::exchange(running.waiters, {}))
      send_(waiter.connection, error_line(waiter.id_json, error, target_id_));
}

}  // namespace espalier::ipc::internal
