#pragma once

#include "espalier/supervisor/core/command.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace espalier::supervisor {

/// Who waits for the answers of one supervisor. Every callback is called exactly once, whatever
/// becomes of the supervisor, and never under a lock.
///
/// Thread rule: every member may be called from any thread.
class CommandDesk {
 public:
  using Answer = std::function<void(const CommandResult&)>;

  /// A number for an order. Absent: the supervisor has ended; `answer` has been called.
  [[nodiscard]] std::optional<std::uint64_t> open(Answer answer);
  void answer(std::uint64_t ticket, const CommandResult& result);
  /// The supervisor ends: whoever waits, and whoever comes, hears `why`. Only the first call
  /// counts.
  void close(const Error& why);

 private:
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, Answer> waiting_;
  std::optional<Error> closed_;
};

/// Refuses a command that does not say who wants it and why; absent: it does.
[[nodiscard]] std::optional<Error> meta_problem(CommandKind kind, const CommandMeta& meta);

}  // namespace espalier::supervisor
