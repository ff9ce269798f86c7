#pragma once

#include "espalier/pipeline/core/plan.hpp"
#include "espalier/pipeline/run/internal/work_context.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace espalier::pipeline::internal {

/// An item in the hands of an AsyncKernel.
struct AsyncItem {
  explicit AsyncItem(WorkTables& tables) : context(tables) {}
  WorkContext context;
  const NodePlan* node = nullptr;
  AsyncItem* next_done = nullptr;
};

/// The thread of the coroutines: starts items and gathers those that are done, so that the Runner
/// takes its lock once for many. Made on first use; waits in epoll while nothing is to do.
///
/// Threads: `start` from any; kernels and `collect` are called on the lane's own one. An item that
/// is done on another thread comes back to it.
class AsyncLane {
 public:
  using Collect = std::function<void(std::span<AsyncItem* const> done)>;

  AsyncLane(Collect collect, const std::string& thread_name);
  /// Precondition: every item that was started has been collected.
  ~AsyncLane();
  AsyncLane(const AsyncLane&) = delete;
  AsyncLane& operator=(const AsyncLane&) = delete;

  void start(std::vector<AsyncItem*> items);

 private:
  class Thread;
  void start_one(AsyncItem& item);
  void done(AsyncItem& item);
  void push(AsyncItem& item);
  void collect_done();

  Collect collect_;
  std::atomic<AsyncItem*> done_ = nullptr;  ///< A stack; whoever pushes the first calls collect.
  std::atomic<std::size_t> bringing_ = 0;   ///< Other threads in `done`.
  std::vector<AsyncItem*> collected_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace espalier::pipeline::internal
