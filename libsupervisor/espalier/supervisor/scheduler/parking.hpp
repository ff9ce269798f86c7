#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace espalier::supervisor {

/// Where threads wait that have nothing to do. None of them misses work: who parks looks once more
/// after he has said that he parks, and who brings work asks for parked threads after he has
/// brought it. Both must look and bring under the same lock (JobQueue): then one of them sees the
/// other. To ask where nobody waits costs a load.
class Parking {
 public:
  /// Waits for a call, unless `has_work()` is true at the last look. May return without a call.
  template <class HasWork>
  void park(HasWork has_work) {
    parked_.fetch_add(1);
    std::unique_lock lock{mutex_, std::defer_lock};
    if (has_work()) {
      lock.lock();
    } else {
      lock.lock();
      called_.wait(lock, [&] { return calls_ > 0 || closed_; });
      if (calls_ > 0) --calls_;
    }
    const auto others = parked_.fetch_sub(1) - 1;
    if (calls_ > others) calls_ = others;
  }

  /// After work has been brought: one that is parked comes back, unless all of them were called.
  void call_one() {
    if (parked_.load(std::memory_order_relaxed) == 0) return;
    const std::lock_guard lock{mutex_};
    if (calls_ >= parked_.load(std::memory_order_relaxed)) return;
    ++calls_;
    called_.notify_one();
  }

  /// Nobody waits any more, now or later.
  void close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    called_.notify_all();
  }

 private:
  std::atomic<int> parked_ = 0;
  std::mutex mutex_;
  std::condition_variable called_;
  int calls_ = 0;
  bool closed_ = false;
};

}  // namespace espalier::supervisor
