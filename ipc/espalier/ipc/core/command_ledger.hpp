#pragma once

#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace espalier::ipc {

/// Commands by their command_id, for their lifetime (control C8): the same one again is answered
/// with the first answer and runs once; another one under a used id is a forgery.
///
/// An id belongs to the user who used it first: two users may use the same word. What runs is never
/// forgotten; of what has ended at most `capacity` are kept, the newest.
class CommandLedger {
 public:
  CommandLedger(supervisor::Duration lifetime, std::size_t capacity)
      : lifetime_(lifetime), capacity_(capacity) {}

  enum class Verdict : std::uint8_t {
    fresh,     ///< Never seen, or forgotten: run it; it is known from now on.
    running,   ///< The same runs: wait with the first.
    answered,  ///< The same has ended: `answer`.
    mismatch,  ///< The id belongs to another command.
  };
  struct Look {
    Verdict verdict = Verdict::fresh;
    std::optional<CommandAnswer> answer = {};
  };
  /// `content`: everything that makes it this command: method and parameters, in one spelling.
  [[nodiscard]] Look open(std::uint32_t uid, const std::string& command_id,
                          const std::string& content, supervisor::TimePoint now);
  /// The end of a fresh one. It is kept for `lifetime` from now on.
  void close(std::uint32_t uid, const std::string& command_id, CommandAnswer answer,
             supervisor::TimePoint now);
  /// A fresh one that was refused before it ran: as if it had never been.
  void forget(std::uint32_t uid, const std::string& command_id);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string content = {};  ///< Its SHA-256: a tree file is large, a thousand of them larger.
    std::optional<CommandAnswer> answer = {};
    supervisor::TimePoint ended_at = {};
  };
  void expire(supervisor::TimePoint now);
  void forget_oldest();
  supervisor::Duration lifetime_;
  std::size_t capacity_;
  std::unordered_map<std::string, Entry> entries_ = {};  ///< By "uid:command_id".
  std::deque<std::string> ended_ = {};                   ///< Oldest first.
};

}  // namespace espalier::ipc
