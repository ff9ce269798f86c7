#include "espalier/pipeline/build/futures.hpp"

namespace espalier::pipeline::detail {

std::optional<TimePoint> deadline_after(std::optional<Duration> timeout) {
  if (!timeout) return std::nullopt;
  constexpr Duration long_enough = std::chrono::hours{24 * 365};
  return std::chrono::steady_clock::now() + std::clamp(*timeout, Duration{}, long_enough);
}

void Completions::add(std::size_t which) {
  {
    const std::lock_guard lock(mutex_);
    over_.push_back(which);
  }
  came_.notify_one();
}

std::optional<std::size_t> Completions::next(std::optional<TimePoint> deadline) {
  std::unique_lock lock(mutex_);
  const auto there = [this] { return !over_.empty(); };
  if (!deadline) {
    came_.wait(lock, there);
  } else if (!came_.wait_until(lock, *deadline, there)) {
    return std::nullopt;
  }
  const auto which = over_.front();
  over_.pop_front();
  return which;
}

}  // namespace espalier::pipeline::detail
