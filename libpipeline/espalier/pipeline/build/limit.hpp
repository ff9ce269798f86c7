#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

namespace espalier::pipeline {

/// At most so many tasks at the same time, wherever they run: in several stages, several
/// pipelines, an Executor. Copies are the same limit. A task that waits keeps its worker (a
/// coroutine keeps no thread). Thread-safe.
class Limit {
 public:
  /// No limit at all.
  Limit() = default;
  /// std::invalid_argument: zero.
  explicit Limit(std::size_t at_once);

  [[nodiscard]] explicit operator bool() const { return state_ != nullptr; }
  /// Waits for a place. False: a stop was requested before there was one.
  [[nodiscard]] bool acquire(std::stop_token stop) const;
  [[nodiscard]] bool try_acquire() const;
  void release() const;
  /// For who may not block: calls `wake` once, when a place may be free (perhaps at once), with the
  /// limit locked: it may only wake somebody, who tries again. After `forget` it is not called.
  [[nodiscard]] std::uint64_t when_free(std::function<void()> wake) const;
  void forget(std::uint64_t waiter) const;
  [[nodiscard]] std::size_t in_use() const;

 private:
  struct State;
  std::shared_ptr<State> state_ = {};
};

/// A place in a limit for as long as it lives.
class LimitPlace {
 public:
  LimitPlace() = default;
  explicit LimitPlace(const Limit& limit) : limit_(&limit) {}
  LimitPlace(const LimitPlace&) = delete;
  LimitPlace& operator=(const LimitPlace&) = delete;
  ~LimitPlace() {
    if (limit_ && *limit_) limit_->release();
  }

 private:
  const Limit* limit_ = nullptr;
};

}  // namespace espalier::pipeline
