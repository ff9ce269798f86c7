#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// At most `limit` threads for calls that may hang; begun as needed, kept for the next call. Jobs
/// beyond that wait in a queue. A thread that hangs may outlive this object.
///
/// Thread rule: every member may be called from any thread.
class HelperThreads {
 public:
  explicit HelperThreads(std::size_t limit) : limit_(limit) {}

  /// `job` must not throw. `keep` lives until the job has ended.
  static void run(const std::shared_ptr<HelperThreads>& keep, std::string label,
                  std::function<void()> job);
  /// Drops what waits, ends idle threads, and waits for the others. The result: labels of those
  /// that did not return.
  [[nodiscard]] std::vector<std::string> end(Duration wait);

 private:
  struct Job {
    std::string label = {};
    std::function<void()> call = {};
  };
  void work();

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable left_;
  std::deque<Job> queue_;
  std::map<std::uint64_t, std::string> busy_;
  std::uint64_t last_ = 0;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

}  // namespace espalier::supervisor::internal
