#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/observe/internal/line_file.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace espalier::supervisor::internal {

/// Events on their way to a thread that writes them. Bounded: what does not fit is dropped and
/// counted, so that nobody ever waits for a disk. Thread-safe; one thread takes.
class EventQueue {
 public:
  void push(const Event& event);
  /// Waits until all that was pushed so far is written or lost. False: something was lost, ever, or
  /// the writer gave up on this flush.
  bool flush();
  void close();

  // The writer's side.

  struct Wish {
    bool take = false;     ///< There is something to take, or to give up.
    bool urgent = false;   ///< Somebody waits for it: `flush` or `close`.
    bool closing = false;  ///< Nothing comes any more.
  };
  /// Waits for events, for somebody in need of an answer, or for the time. `hold`: events can wait.
  [[nodiscard]] Wish wait(std::optional<TimePoint> until, bool hold);
  /// All that waits, in `batch`; answers with what had no room since the last time.
  Gap take(std::vector<Event>& batch);
  /// Only the answer.
  Gap take_missing();
  /// So many of those taken are done with; `lost`: not all of them were written.
  void done(std::size_t count, bool lost);
  /// Who waits in `flush` is told no; the events stay.
  void refuse_flush();
  /// Gives up all that waits; answers with all that is missing by that.
  Gap drop_all();

 private:
  mutable std::mutex mutex_;
  std::condition_variable wake_writer_;
  std::condition_variable wake_flushers_;
  std::vector<Event> queue_ = {};
  Gap missing_ = {};
  std::uint64_t accepted_ = 0;
  std::uint64_t handled_ = 0;
  std::uint64_t refusals_ = 0;
  bool failed_ = false;
  bool urgent_ = false;  ///< A flush waits that the writer has not heard of.
  bool closing_ = false;
};

/// The line `subscriber_lagged`. Not an event of the tree, so it has no number of its own: it
/// stands where the last of those that are missing would have stood.
void append_lagged(std::string& out, const Gap& gap, std::uint64_t epoch);

}  // namespace espalier::supervisor::internal
