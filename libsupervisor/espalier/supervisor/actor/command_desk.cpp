#include "espalier/supervisor/actor/command_desk.hpp"

#include <string>
#include <utility>

namespace espalier::supervisor {

namespace {

void tell(const CommandDesk::Answer& answer, const CommandResult& result) {
  try {
    answer(result);
  } catch (...) {  // Who asks a supervisor must not be able to end it.
  }
}

}  // namespace

std::optional<std::uint64_t> CommandDesk::open(Answer answer) {
  std::unique_lock lock{mutex_};
  if (!closed_) {
    waiting_.emplace(++last_, std::move(answer));
    return last_;
  }
  const auto why = *closed_;
  lock.unlock();
  tell(answer, unexpected<Error>(why));
  return {};
}

void CommandDesk::answer(std::uint64_t ticket, const CommandResult& result) {
  std::unique_lock lock{mutex_};
  const auto found = waiting_.extract(ticket);
  lock.unlock();
  if (!found.empty()) tell(found.mapped(), result);
}

void CommandDesk::close(const Error& why) {
  std::unordered_map<std::uint64_t, Answer> left;
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    closed_ = why;
    left.swap(waiting_);
  }
  const CommandResult result = unexpected<Error>(why);
  for (const auto& [ticket, answer] : left)
    tell(answer, result);
}

std::optional<Error> meta_problem(CommandKind kind, const CommandMeta& meta) {
  const auto is_blank = [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  if (!is_blank(meta.requested_by) && !is_blank(meta.reason)) return {};
  return Error{Error::Code::blank_meta,
               std::string{to_string(kind)} +
                   " needs to say who requests it and why; fill in both, they are kept"};
}

}  // namespace espalier::supervisor
