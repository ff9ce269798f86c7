#include "espalier/supervisor/io/internal/helper_threads.hpp"

#include "espalier/supervisor/io/internal/quiet_thread.hpp"

#include <utility>

namespace espalier::supervisor::internal {

void HelperThreads::run(const std::shared_ptr<HelperThreads>& keep, std::string label,
                        std::function<void()> job) {
  const std::lock_guard lock{keep->mutex_};
  if (keep->ending_) return;
  if (keep->idle_ <= keep->queue_.size() && keep->threads_ < keep->limit_) {
    quiet_thread("espalier-probe", [keep] { keep->work(); }).detach();
    ++keep->threads_;
    ++keep->idle_;
  }
  keep->queue_.push_back({std::move(label), std::move(job)});
  keep->wanted_.notify_one();
}

void HelperThreads::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    wanted_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (ending_) break;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    --idle_;
    const auto id = ++last_;
    busy_.emplace(id, std::move(job.label));
    lock.unlock();
    job.call();
    job.call = nullptr;
    lock.lock();
    busy_.erase(id);
    ++idle_;
  }
  --threads_;
  left_.notify_all();
}

std::vector<std::string> HelperThreads::end(Duration wait) {
  std::unique_lock lock{mutex_};
  ending_ = true;
  queue_.clear();
  wanted_.notify_all();
  left_.wait_for(lock, wait, [this] { return threads_ == 0; });
  std::vector<std::string> result;
  for (const auto& [id, label] : busy_)
    result.push_back(label);
  return result;
}

}  // namespace espalier::supervisor::internal
