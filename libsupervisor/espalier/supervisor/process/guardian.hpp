#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"

#include <sys/types.h>

#include <memory>
#include <utility>

namespace espalier::supervisor {

/// A tiny process that outlives a killed supervisor just long enough to clean up after it.
///
/// The problem: the parent-death signal reaches the processes a supervisor started, but not what
/// those started. So the guardian is told of each process group that begins and ends, and when
/// the supervisor is gone without a word (kill -9), it kills the groups that remain and ends.
///
/// Thread rule: start() before any other thread exists, for it forks; the rest from one thread.
/// Cost: one process of a few hundred KiB and one small write per begin and end.
class Guardian {
 public:
  /// Throws std::system_error when there can be none.
  [[nodiscard]] static std::shared_ptr<Guardian> start();
  ~Guardian();  ///< Says goodbye: the guardian ends and kills nothing.
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  void group_began(pid_t group);
  /// To be called while the group cannot yet be another's (its leader is not reaped).
  void group_ended(pid_t group);
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  Guardian(pid_t pid, UniqueFd to) : pid_{pid}, to_{std::move(to)} {}
  pid_t pid_;
  UniqueFd to_;
};

}  // namespace espalier::supervisor
