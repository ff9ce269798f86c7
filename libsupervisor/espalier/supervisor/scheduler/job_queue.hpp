#pragma once

#include <caf/resumable.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

namespace espalier::supervisor {

/// Jobs in the order in which they came; any thread may use it. Whether it is empty costs a load,
/// everything else a short lock. Each job in it stands for one reference to its actor.
class JobQueue {
 public:
  void push(caf::resumable* job) {
    const std::lock_guard lock{mutex_};
    jobs_.push_back(job);
    size_.store(jobs_.size(), std::memory_order_relaxed);
  }

  /// The oldest, or null; may miss one that another thread pushes right now.
  caf::resumable* pop() {
    if (empty()) return nullptr;
    const std::lock_guard lock{mutex_};
    if (jobs_.empty()) return nullptr;
    auto* job = jobs_.front();
    jobs_.pop_front();
    size_.store(jobs_.size(), std::memory_order_relaxed);
    return job;
  }

  /// Moves the older half of `other` here, at most 256 jobs: thieves come seldom and leave some.
  void take_half_of(JobQueue& other) {
    if (other.empty()) return;
    const auto taken = other.give_half();
    const std::lock_guard lock{mutex_};
    jobs_.insert(jobs_.end(), taken.begin(), taken.end());
    size_.store(jobs_.size(), std::memory_order_relaxed);
  }

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  /// Who finds it empty by this has his earlier writes seen by whoever pushes next.
  [[nodiscard]] bool surely_empty() const {
    const std::lock_guard lock{mutex_};
    return jobs_.empty();
  }

 private:
  std::vector<caf::resumable*> give_half() {
    const std::lock_guard lock{mutex_};
    const auto count = std::min<std::size_t>((jobs_.size() + 1) / 2, 256);
    const auto end = jobs_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<caf::resumable*> result(jobs_.begin(), end);
    jobs_.erase(jobs_.begin(), end);
    size_.store(jobs_.size(), std::memory_order_relaxed);
    return result;
  }

  mutable std::mutex mutex_;
  std::deque<caf::resumable*> jobs_;
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace espalier::supervisor
