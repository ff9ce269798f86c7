#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What of a tree is alive, counted where it begins and ends and not in any supervisor's books.
/// Outlives the tree for as long as a thread of it runs.
///
/// Thread rule: every member may be called from any thread.
class Census {
 public:
  using ThreadId = std::uint64_t;

  void actor_began();
  void actor_ended();
  [[nodiscard]] std::size_t actors() const;

  ThreadId thread_began(std::string path);
  /// Nobody waits for it any more.
  void thread_abandoned(ThreadId id);
  void thread_ended(ThreadId id);

  struct Thread {
    std::string path = {};
    Duration age = Duration::zero();  ///< How long it has run.
    bool abandoned = false;
  };
  [[nodiscard]] std::vector<Thread> threads() const;
  [[nodiscard]] std::uint64_t threads_ever() const;
  [[nodiscard]] std::size_t actors_ever() const;

  /// Waits until no actor and no thread is left, threads that were abandoned aside.
  bool wait_quiet(Duration limit) const;

 private:
  struct Entry {
    std::string path;
    std::chrono::steady_clock::time_point since;
    bool abandoned = false;
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::size_t actors_ = 0;
  std::size_t actors_ever_ = 0;
  std::size_t abandoned_ = 0;
  ThreadId last_thread_ = 0;
  std::map<ThreadId, Entry> threads_;
};

}  // namespace espalier::supervisor
