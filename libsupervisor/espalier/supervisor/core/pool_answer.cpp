#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

PoolEngine::Impl::OperationId PoolEngine::Impl::accept(const input::Order& in, Aim aim,
                                                       std::optional<ChildIndex> child,
                                                       std::string text) {
  Operation operation;
  operation.ticket = in.ticket;
  operation.command = in.command;
  operation.aim = aim;
  operation.child = child;
  operation.text = std::move(text);
  operations_.emplace(++last_operation_, std::move(operation));
  return last_operation_;
}

void PoolEngine::Impl::wait_for(OperationId operation, ChildIndex i) {
  ++operations_.at(operation).awaited;
  waiting_.emplace(i, operation);
}

/// Takes from all who wait for `i` those for whom `what` has an answer.
template <class What>
void PoolEngine::Impl::end_waits(ChildIndex i, What what) {
  std::vector<OperationId> ended;
  const auto [first, last] = waiting_.equal_range(i);
  for (auto wait = first; wait != last;) {
    if (what(operations_.at(wait->second))) {
      ended.push_back(wait->second);
      wait = waiting_.erase(wait);
    } else {
      ++wait;
    }
  }
  std::sort(ended.begin(), ended.end());
  for (const auto operation : ended) {
    --operations_.at(operation).awaited;
    answer_if_through(operation);
  }
}

/// A later order wants the instance elsewhere: the earlier ones are told so.
void PoolEngine::Impl::redirect(ChildIndex i, Aim aim) {
  end_waits(i, [aim](Operation& order) {
    if (order.aim == aim) return false;
    ++order.superseded;
    return true;
  });
}

void PoolEngine::Impl::reached(ChildIndex i, Aim aim) {
  if (operations_.empty()) return;
  const bool lives = table_[i].phase == Phase::abandoned;
  end_waits(i, [aim, lives](Operation& order) {
    if (order.aim != aim) ++order.superseded;
    if (lives && order.awaited == 1) order.text += ", but could not be ended and may still run";
    return true;
  });
}

void PoolEngine::Impl::missed(ChildIndex i, const std::string& why) {
  if (operations_.empty()) return;
  end_waits(i, [&why](Operation& order) {
    if (order.aim != Aim::up) return false;
    if (++order.failed == 1) order.first_failure = why;
    return true;
  });
}

void PoolEngine::Impl::answer_if_through(OperationId id) {
  const auto found = operations_.find(id);
  if (found->second.awaited > 0) return;
  const auto order = std::move(found->second);
  operations_.erase(found);
  if (order.superseded > 0) {
    const auto many = std::to_string(order.superseded);
    send(order.ticket, *order.command, order.child,
         unexpected<Error>(
             Error{Error::Code::superseded,
                   order.child ? "a later command undid it"
                               : "a later command undid it for " + many + " of the instances"}));
  } else if (order.failed > 0) {
    auto message = order.first_failure;
    if (!order.child) message = std::to_string(order.failed) + " did not become ready; " + message;
    send(order.ticket, *order.command, order.child,
         unexpected<Error>(Error{Error::Code::start_failed, std::move(message)}));
  } else {
    auto result = outcome(order.child, order.text);
    result.joined = order.joined;
    send(order.ticket, *order.command, order.child, std::move(result));
  }
}

void PoolEngine::Impl::answer_all_shutting_down() {
  waiting_.clear();
  for (const auto& [id, order] : std::exchange(operations_, {})) {
    send(order.ticket, *order.command, order.child,
         unexpected<Error>(
             Error{Error::Code::shutting_down, context_.path + " stopped before it was done"}));
  }
}

void PoolEngine::Impl::done(const input::Order& in, std::optional<ChildIndex> i, std::string text,
                            bool changed) {
  auto result = outcome(i, std::move(text));
  result.changed = changed;
  send(in.ticket, *in.command, i, std::move(result));
}

void PoolEngine::Impl::refuse(const input::Order& in, std::optional<ChildIndex> i, Error::Code code,
                              std::string message) {
  send(in.ticket, *in.command, i, unexpected<Error>(Error{code, std::move(message)}));
}

void PoolEngine::Impl::would(const input::Order& in, std::optional<ChildIndex> i,
                             std::string text) {
  auto result = outcome(i, "would " + text);
  result.plan = {std::move(text)};
  send(in.ticket, *in.command, i, std::move(result));
}

/// A dry run leaves no event: nothing was done.
void PoolEngine::Impl::send(std::uint64_t ticket, const Command& command,
                            std::optional<ChildIndex> i, CommandResult result) {
  if (!command.dry_run) {
    events::CommandDone body{.command = to_string(command.kind),
                             .requested_by = command.meta.requested_by,
                             .reason = command.meta.reason,
                             .child = i ? path_of(*i) : ""};
    if (result) {
      body.result = result->changed ? "done" : "unchanged";
      body.text = result->text;
    } else {
      body.result = to_string(result.error().code);
      body.text = result.error().message;
    }
    if (i) {
      emit_child(*i, Cause{}, std::move(body));
    } else {
      emit(Cause{}, std::move(body));
    }
  }
  out_.emplace_back(effect::Reply{ticket, std::move(result)});
}

CommandOutcome PoolEngine::Impl::outcome(std::optional<ChildIndex> i, std::string text) const {
  CommandOutcome result;
  result.path = i ? path_of(*i) : context_.path;
  result.text = std::move(text);
  result.phase = i ? table_[*i].phase : Phase::running;
  result.generation = i ? shown(table_[*i].generation) : 0;
  return result;
}

}  // namespace espalier::supervisor
