#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace espalier::pipeline {

/// A door that tasks wait at until the test opens it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// For a task. Throws when nobody opens.
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    const bool in_time =
        changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return open_; });
    --waiting_;
    if (!in_time) throw std::runtime_error("the gate stayed shut");
  }
  /// For the test: until so many tasks stand there.
  bool wait_for_waiting(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

/// Counts how many are inside at once.
class Peak {
 public:
  void enter() {
    const int now = ++now_;
    int most = most_;
    while (now > most && !most_.compare_exchange_weak(most, now)) {
    }
  }
  void leave() { --now_; }
  [[nodiscard]] int most() const { return most_; }

 private:
  std::atomic<int> now_ = 0;
  std::atomic<int> most_ = 0;
};

/// Whether something becomes true within a time that is long enough on a busy machine.
template <class Condition>
bool soon(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

}  // namespace espalier::pipeline
