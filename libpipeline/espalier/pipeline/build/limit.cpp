#include "espalier/pipeline/build/limit.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace espalier::pipeline {

struct Limit::State {
  std::mutex mutex;
  std::condition_variable_any freed;
  std::size_t free = 0;
  std::size_t all = 0;
  std::map<std::uint64_t, std::function<void()>> waiters;
  std::uint64_t last_waiter = 0;
};

Limit::Limit(std::size_t at_once) {
  if (at_once == 0)
    throw std::invalid_argument("a limit of 0 tasks at once would let nothing run; use 1 or more");
  state_ = std::make_shared<State>();
  state_->free = at_once;
  state_->all = at_once;
}

bool Limit::acquire(std::stop_token stop) const {
  if (!state_) return true;
  std::unique_lock lock(state_->mutex);
  if (!state_->freed.wait(lock, std::move(stop), [this] { return state_->free > 0; })) return false;
  --state_->free;
  return true;
}

bool Limit::try_acquire() const {
  if (!state_) return true;
  const std::lock_guard lock(state_->mutex);
  if (state_->free == 0) return false;
  --state_->free;
  return true;
}

void Limit::release() const {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  ++state_->free;
  state_->freed.notify_one();
  for (const auto& [waiter, wake] : std::exchange(state_->waiters, {}))
    wake();
}

std::uint64_t Limit::when_free(std::function<void()> wake) const {
  if (!state_) {
    wake();
    return 0;
  }
  const std::lock_guard lock(state_->mutex);
  const auto waiter = ++state_->last_waiter;
  if (state_->free > 0)
    wake();
  else
    state_->waiters.emplace(waiter, std::move(wake));
  return waiter;
}

void Limit::forget(std::uint64_t waiter) const {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->waiters.erase(waiter);
}

std::size_t Limit::in_use() const {
  if (!state_) return 0;
  const std::lock_guard lock(state_->mutex);
  return state_->all - state_->free;
}

}  // namespace espalier::pipeline
