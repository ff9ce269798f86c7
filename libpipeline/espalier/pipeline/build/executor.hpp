#pragma once

#include "espalier/pipeline/build/future.hpp"
#include "espalier/pipeline/build/futures.hpp"
#include "espalier/pipeline/build/limit.hpp"
#include "espalier/pipeline/build/pulled.hpp"
#include "espalier/pipeline/build/source.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier::pipeline {

struct ExecutorOptions {
  std::uint32_t workers = 5;
  std::string name = "executor";
};

struct CallOptions {
  std::uint32_t retries = 0;                        ///< Attempts after the first one.
  Duration delay = std::chrono::milliseconds{100};  ///< Before the first retry; doubles each time.
  Limit limit = {};  ///< Taken for each attempt, not while waiting for the next.
};

/// The Executor takes no more calls.
class ExecutorShutdown : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A pool of threads for single calls, without stages. Threads begin when there is work. Calls
/// wait in an unbounded queue, first in, first out; one that waits for its next attempt keeps no
/// thread. Thread-safe. The destructor waits for all calls.
///
///   Executor pool({.workers = 8});
///   auto size = pool.submit(fetch, "https://example.org");
///   auto pages = pool.map({.retries = 3}, fetch, urls);
class Executor {
 public:
  /// std::invalid_argument: no worker.
  explicit Executor(ExecutorOptions options = {});
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Returns at once. Arguments are copied, or moved, into the call. ExecutorShutdown.
  template <class F, class... Args>
  requires std::is_invocable_v < std::decay_t<F>
  &, std::decay_t<Args>... > auto submit(F&& function, Args&&... args) {
    return submit(CallOptions{}, std::forward<F>(function), std::forward<Args>(args)...);
  }
  /// std::invalid_argument: retries of a call that takes its arguments away.
  template <class F, class... Args>
  auto submit(CallOptions options, F&& function, Args&&... args) {
    using Function = std::decay_t<F>;
    using R = std::invoke_result_t<Function&, std::decay_t<Args>...>;
    using T = std::conditional_t<std::is_void_v<R>, void, std::decay_t<R>>;
    constexpr bool repeatable = std::is_invocable_v<Function&, const std::decay_t<Args>&...>;
    if (!repeatable && options.retries > 0)
      throw std::invalid_argument(
          "a call that takes its arguments away cannot be repeated; let the function take const "
          "references, or set retries to 0");
    auto bound =
        [function = std::forward<F>(function),
         args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable -> R {
      if constexpr (repeatable)
        return std::apply(function, std::as_const(args));
      else
        return std::apply(function, std::move(args));
    };
    using Stored = typename Future<T>::Value;
    auto call = std::make_shared<detail::CallTo<Stored, decltype(bound)>>(next_sequence(),
                                                                          std::move(bound));
    enqueue(call, std::move(options));
    return Future<T>(std::move(call));
  }

  /// The results of all calls, in the order of the input; several ranges are gone through in
  /// step, as far as the shortest. Throws what the first call (in that order) threw; the others run
  /// on.
  template <class F, class... Ranges>
  requires(!std::is_same_v<std::decay_t<F>, CallOptions>) auto map(F&& function,
                                                                   Ranges&&... ranges) {
    return map(CallOptions{}, std::forward<F>(function), std::forward<Ranges>(ranges)...);
  }
  template <class F, class... Ranges>
  auto map(const CallOptions& options, F&& function, Ranges&&... ranges) {
    auto next = submitter(options, function, std::forward<Ranges>(ranges)...);
    using FutureOf = typename decltype(next())::value_type;
    std::vector<FutureOf> futures;
    while (auto future = next())
      futures.push_back(std::move(*future));
    std::vector<typename FutureOf::Value> results;
    results.reserve(futures.size());
    for (const auto& future : futures)
      results.push_back(detail::taken(future));
    return results;
  }

  /// The same one after the other. Reads the input only a little ahead of what has been taken; the
  /// calls that were not taken are cancelled when it goes. Ranges that are lvalues must live so
  /// long.
  template <class F, class... Ranges>
  requires(!std::is_same_v<std::decay_t<F>, CallOptions>) auto map_iter(F&& function,
                                                                        Ranges&&... ranges) {
    return map_iter(CallOptions{}, std::forward<F>(function), std::forward<Ranges>(ranges)...);
  }
  template <class F, class... Ranges>
  auto map_iter(const CallOptions& options, F&& function, Ranges&&... ranges) {
    auto submit_next =
        submitter(options, std::forward<F>(function), std::forward<Ranges>(ranges)...);
    using FutureOf = typename decltype(submit_next())::value_type;
    using Stored = typename FutureOf::Value;
    auto ahead = std::make_shared<detail::Ahead<FutureOf>>();
    return Pulled<Stored>([ahead, submit_next, most = 2 * workers()]() mutable {
      while (ahead->more && ahead->futures.size() < most) {
        auto future = submit_next();
        ahead->more = future.has_value();
        if (future) ahead->futures.push_back(std::move(*future));
      }
      std::optional<Stored> result;
      if (ahead->futures.empty()) return result;
      const auto first = ahead->futures.front();
      ahead->futures.pop_front();
      result.emplace(detail::taken(first));
      return result;
    });
  }

  /// No more calls are taken. `cancel_queued`: those that do not run yet never will, and their
  /// futures say so. `wait`: returns when all calls are over; else at once, and the rest goes on.
  void shutdown(bool wait = true, bool cancel_queued = false);

  [[nodiscard]] std::size_t workers() const;
  /// Calls that are not over.
  [[nodiscard]] std::size_t pending() const;

 private:
  [[nodiscard]] std::uint64_t next_sequence();
  void enqueue(std::shared_ptr<detail::Call> call, CallOptions options);

  /// A function that submits the call for the next element, until there are no more.
  template <class F, class... Ranges>
  auto submitter(const CallOptions& options, F&& function, Ranges&&... ranges) {
    auto cursors = std::make_shared<std::tuple<detail::Cursor<Ranges>...>>(
        detail::Cursor<Ranges>(std::forward<Ranges>(ranges))...);
    return [this, cursors, options, function = std::decay_t<F>(std::forward<F>(function))] {
      return std::apply(
          [&](auto&... cursor) {
            using FutureOf = decltype(submit(options, function, **cursor.next...));
            std::optional<FutureOf> future;
            if (!(cursor.more() && ...)) return future;
            future.emplace(submit(options, function, **cursor.next...));
            (++*cursor.next, ...);
            return future;
          },
          *cursors);
    };
  }

  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace espalier::pipeline
