#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <array>
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
/// Outlives the tree for as long as a thread or coroutine of it runs.
///
/// Thread rule: every member may be called from any thread.
class Census {
 public:
  /// What a child's code runs on.
  enum class Runner : std::uint8_t { thread, coroutine };
  using RunId = std::uint64_t;

  void actor_began();
  void actor_ended();
  [[nodiscard]] std::size_t actors() const;

  RunId run_began(Runner runner, std::string path);
  /// Nobody waits for it any more.
  void run_abandoned(RunId id);
  void run_ended(RunId id);  ///< A second time: no effect.

  struct Run {
    std::string path = {};
    Duration age = Duration::zero();  ///< How long it has run.
    bool abandoned = false;
  };
  [[nodiscard]] std::vector<Run> runs(Runner runner) const;
  [[nodiscard]] std::uint64_t runs_ever(Runner runner) const;
  [[nodiscard]] std::size_t actors_ever() const;

  /// Waits until no actor, thread or coroutine is left, abandoned ones aside.
  bool wait_quiet(Duration limit) const;

 private:
  struct Entry {
    Runner runner = Runner::thread;
    std::string path = {};
    std::chrono::steady_clock::time_point since = {};
    bool abandoned = false;
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::size_t actors_ = 0;
  std::size_t actors_ever_ = 0;
  std::size_t abandoned_ = 0;
  RunId last_run_ = 0;
  std::array<std::uint64_t, 2> runs_ever_ = {};  // By Runner.
  std::map<RunId, Entry> runs_;
};

}  // namespace espalier::supervisor
