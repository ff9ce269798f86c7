#pragma once

#include "espalier/pipeline/build/future.hpp"
#include "espalier/pipeline/build/pulled.hpp"
#include "espalier/pipeline/build/wait_for.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// Something was waited for longer than allowed.
class WaitTimedOut : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Numbers of things that are over, in that order.
class Completions {
 public:
  void add(std::size_t which);
  /// Waits for the next one; empty: not in time.
  [[nodiscard]] std::optional<std::size_t> next(std::optional<TimePoint> deadline);

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::size_t> over_;
};

[[nodiscard]] std::optional<TimePoint> deadline_after(std::optional<Duration> timeout);

template <class T>
std::shared_ptr<Completions> watch(const std::vector<Future<T>>& futures) {
  auto completions = std::make_shared<Completions>();
  for (std::size_t i = 0; i < futures.size(); ++i)
    futures[i].on_done([completions, i](const Future<T>&) { completions->add(i); });
  return completions;
}

/// What Executor::map_iter has begun and not given out.
template <class FutureOf>
struct Ahead {
  Ahead() = default;
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() {
    for (const auto& future : futures)
      future.cancel();
  }
  std::deque<FutureOf> futures = {};
  bool more = true;
};

template <class T>
typename Future<T>::Value taken(const Future<T>& future) {
  if constexpr (std::is_void_v<T>) {
    future.get();
    return {};
  } else {
    return std::move(future.get());
  }
}

}  // namespace detail

/// The futures in the order in which they end. `timeout` is for all together: WaitTimedOut.
/// O(1) for each.
template <class T>
[[nodiscard]] Pulled<Future<T>> as_completed(std::vector<Future<T>> futures,
                                             std::optional<Duration> timeout = {}) {
  auto completions = detail::watch(futures);
  const auto deadline = detail::deadline_after(timeout);
  const auto count = futures.size();
  return Pulled<Future<T>>([futures = std::move(futures), completions, deadline,
                            left = count]() mutable -> std::optional<Future<T>> {
    if (left == 0) return std::nullopt;
    const auto which = completions->next(deadline);
    if (!which)
      throw WaitTimedOut(std::to_string(left) + " of " + std::to_string(futures.size()) +
                         " calls were not over in time");
    --left;
    return futures[*which];
  });
}

template <class T>
struct WaitResult {
  std::vector<Future<T>> done = {};
  std::vector<Future<T>> not_done = {};
};

/// Waits as long as `what` says, at most for `timeout` (empty: no limit; zero: only looks). All
/// that are over by then are in `done`, in their order.
template <class T>
[[nodiscard]] WaitResult<T> wait(const std::vector<Future<T>>& futures, WaitFor what = WaitFor::all,
                                 std::optional<Duration> timeout = {}) {
  const auto completions = detail::watch(futures);
  const auto deadline = detail::deadline_after(timeout);
  for (std::size_t left = futures.size(); left > 0; --left) {
    const auto which = completions->next(deadline);
    if (!which || what == WaitFor::any) break;
    if (what == WaitFor::first_error && futures[*which].error()) break;
  }
  WaitResult<T> result;
  for (const auto& future : futures)
    (future.done() ? result.done : result.not_done).push_back(future);
  return result;
}

}  // namespace espalier::pipeline
