#pragma once

// Ours come first: Asio of Boost 1.81 with g++ 12 needs the <utility> that they bring.
#include "espalier/pipeline/build/stage_of.hpp"
#include "espalier/pipeline/build/task_chain.hpp"
#include "espalier/pipeline/run/async_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

namespace espalier::pipeline {

template <class T, class Executor>
struct AsyncResult<boost::asio::awaitable<T, Executor>> {
  static constexpr bool is_async = true;
  using type = T;
};

namespace detail {

/// Waits for a place without a thread. Throws when the coroutine is cancelled.
[[nodiscard]] boost::asio::awaitable<void> wait_for_place(const Limit& limit);

/// Runs a coroutine, which must not throw, on the context; a stop request cancels what it waits for
/// (`terminal`). `done` is called on the context when it is over.
void spawn_stoppable(boost::asio::io_context& context, boost::asio::awaitable<void> coroutine,
                     std::stop_token stop, std::function<void()> done);

/// Runs tasks of which at least one is a coroutine; plain ones among them run on the same thread.
template <class Tasks>
class AsyncTaskKernel;
template <Shape shape, class In, class Out, class... Fs>
class AsyncTaskKernel<TaskChain<shape, In, Out, Fs...>> final : public AsyncKernel {
 public:
  using Tasks = TaskChain<shape, In, Out, Fs...>;
  explicit AsyncTaskKernel(Tasks tasks) : chain_(std::move(tasks)) {}

  [[nodiscard]] std::span<const std::string> tasks() const override { return chain_.facts.tasks; }

  void start(Item& item, RunContext& context, std::function<void()> done) override {
    spawn_stoppable(*async_context(), run_item(item, context), context.stop_token(),
                    std::move(done));
  }

  /// On the calling thread, all items beside each other.
  bool run(std::span<Item> items, RunContext& context) override {
    boost::asio::io_context here;
    for (Item& item : items)
      spawn_stoppable(here, run_item(item, context), context.stop_token(), [] {});
    here.run();
    bool all_pass = true;
    for (const Item& item : items)
      all_pass = all_pass && item.verdict == Verdict::pass && item.port == 0;
    return all_pass;
  }

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  template <std::size_t K>
  using Given = typename Tasks::template Given<K>;
  template <std::size_t K>
  using Function = typename Tasks::template Function<K>;
  template <std::size_t K>
  using Result = typename TaskOf<Function<K>, Given<K>>::Out;

  awaitable<void> run_item(Item& item, RunContext& run) {
    begin(item);
    run.at(item);
    Attempt attempt{chain_.facts, item, run, run.watched()};
    TaskContext context(item, run);
    bool passed = chain_.skips(item);
    if (!passed) {
      try {
        passed = co_await run_from<0>(attempt, context);
      } catch (...) {
        attempt.failed_with_current_exception();
      }
    }
    if (passed)
      chain_.succeeded(item);
    else if (chain_.takes_value_away())
      item.value.reset();
  }

  /// Task K and those behind it, on what the item holds.
  template <std::size_t K>
  awaitable<bool> run_from(Attempt& attempt, TaskContext& context) {
    Item& item = attempt.item;
    if constexpr (K + 1 < Tasks::count) {
      if (item.task > K) co_return co_await run_from<K + 1>(attempt, context);
    }
    auto result = co_await run_on_item<K>(attempt, context);
    if (!result) co_return false;
    if constexpr (K + 1 == Tasks::count) {
      chain_.place(item, std::move(*result));
      co_return true;
    } else {
      if (!chain_.stepwise) co_return co_await run_on<K + 1>(std::move(*result), attempt, context);
      item.value.template emplace<Given<K + 1>>(std::move(*result));
      item.task = K + 1;
      item.attempt = 0;
      co_return co_await run_from<K + 1>(attempt, context);
    }
  }

  /// Task K and those behind it, on what the task before returned.
  template <std::size_t K>
  awaitable<bool> run_on(Given<K> value, Attempt& attempt, TaskContext& context) {
    std::optional<Result<K>> result;
    if constexpr (takes_value<Function<K>, Given<K>>)
      result = co_await run_task<K, Given<K>&&>(std::move(value), attempt, context);
    else
      result = co_await run_task<K, const Given<K>&>(value, attempt, context);
    if (!result) co_return false;
    if constexpr (K + 1 == Tasks::count) {
      chain_.place(attempt.item, std::move(*result));
      co_return true;
    } else {
      co_return co_await run_on<K + 1>(std::move(*result), attempt, context);
    }
  }

  template <std::size_t K>
  awaitable<std::optional<Result<K>>> run_on_item(Attempt& attempt, TaskContext& context) {
    Given<K>& value = attempt.item.value.template as<Given<K>>();
    if constexpr (takes_const<Function<K>, Given<K>>) {
      co_return co_await run_task<K, const Given<K>&>(value, attempt, context);
    } else {
      if constexpr (can_copy<Given<K>>) {
        if (chain_.config.retry.attempts > 1) {
          Given<K> copy(value);
          co_return co_await run_task<K, Given<K>&&>(std::move(copy), attempt, context);
        }
      }
      co_return co_await run_task<K, Given<K>&&>(std::move(value), attempt, context);
    }
  }

  /// Empty: it failed, and the attempt says how.
  template <std::size_t K, class V>
  awaitable<std::optional<Result<K>>> run_task(V value, Attempt& attempt, TaskContext& context) {
    const auto& task = std::get<K>(chain_.tasks);
    if (task.limit) co_await wait_for_place(task.limit);
    const LimitPlace place(task.limit);
    attempt.start(K);
    using Called = decltype(call(task.function, std::forward<V>(value), context));
    using Returned = typename AsyncResult<std::remove_cvref_t<Called>>::type;
    constexpr bool is_async = AsyncResult<std::remove_cvref_t<Called>>::is_async;
    if constexpr (std::is_void_v<Returned>) {
      if constexpr (is_async)
        co_await call(task.function, std::forward<V>(value), context);
      else
        call(task.function, std::forward<V>(value), context);
      if (!attempt.complete()) co_return std::nullopt;
      co_return Nothing{};
    } else if constexpr (is_async) {
      co_return finished<Result<K>>(attempt,
                                    co_await call(task.function, std::forward<V>(value), context));
    } else {
      co_return finished<Result<K>>(attempt, call(task.function, std::forward<V>(value), context));
    }
  }

  template <class T, class R>
  static std::optional<T> finished(Attempt& attempt, R result) {
    if constexpr (Expected<R>::is_expected) {
      if (!result) {
        attempt.failed(failure_of(result.error()));
        return std::nullopt;
      }
    }
    if (!attempt.complete()) return std::nullopt;
    return std::optional<T>(payload(result));
  }

  Tasks chain_;
};

template <class Tasks>
struct AsyncKernelMaker {
  static std::shared_ptr<Kernel> make(Tasks tasks) {
    return std::make_shared<AsyncTaskKernel<Tasks>>(std::move(tasks));
  }
};

}  // namespace detail
}  // namespace espalier::pipeline
