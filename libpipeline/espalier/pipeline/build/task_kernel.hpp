#pragma once

#include "espalier/pipeline/build/task_chain.hpp"

#include <cxxabi.h>

#include <span>
#include <stop_token>
#include <string>
#include <utility>

namespace espalier::pipeline::detail {

/// Runs plain functions. The loop over a batch is inside the one virtual call, and knows all
/// types, so that an item costs a few nanoseconds besides its tasks.
template <Shape shape, class In, class Out, class... Fs>
class TaskKernel final : public Kernel {
 public:
  using Tasks = TaskChain<shape, In, Out, Fs...>;
  explicit TaskKernel(Tasks tasks) : chain_(std::move(tasks)), simple_(chain_.simple()) {}

  [[nodiscard]] std::span<const std::string> tasks() const override { return chain_.facts.tasks; }

  bool run(std::span<Item> items, RunContext& context) override {
    const bool watched = context.watched();
    const bool simple = simple_ && !watched;
    const std::stop_token stop = context.stop_token();
    bool all_pass = true;
    bool first = true;
    for (Item& item : items) {
      if (!first && stop.stop_requested()) {
        stopped_before_its_turn(chain_.facts, item);
        all_pass = false;
        continue;
      }
      first = false;
      context.at(item);
      all_pass =
          (simple ? run_simple(item, context) : run_item(item, context, watched)) && all_pass;
    }
    return all_pass;
  }

 private:
  // What run_item comes to when there is nothing but one function; several times as fast.
  bool run_simple(Item& item, RunContext& run) {
    begin(item);
    try {
      if constexpr (takes_const<typename Tasks::template Function<0>, In>) {
        TaskContext context(item, run);
        const auto& function = std::get<0>(chain_.tasks).function;
        const In& value = item.value.as<In>();
        using Raw = decltype(call(function, value, context));
        if constexpr (std::is_void_v<Raw>) {
          call(function, value, context);
          place_simple(item, Nothing{});
        } else {
          auto result = call(function, value, context);
          if constexpr (Expected<decltype(result)>::is_expected) {
            if (!result) {
              Attempt{chain_.facts, item, run}.failed(failure_of(result.error()));
              return false;
            }
          }
          place_simple(item, payload(result));
        }
      }
    } catch (const abi::__forced_unwind&) {
      throw;
    } catch (...) {
      Attempt{chain_.facts, item, run}.failed_with_current_exception();
      return false;
    }
    return item.verdict == Verdict::pass && item.port == 0;
  }
  template <class R>
  void place_simple(Item& item, R&& result) {
    if constexpr (Tasks::count == 1) chain_.place(item, std::forward<R>(result));
  }

  bool run_item(Item& item, RunContext& context, bool watched) {
    begin(item);
    Attempt attempt{chain_.facts, item, context, watched};
    if (!chain_.skips(item) && !run_tasks(attempt)) {
      if (chain_.takes_value_away()) item.value.reset();
      return false;
    }
    chain_.succeeded(item);
    return item.verdict == Verdict::pass && item.port == 0;
  }

  bool run_tasks(Attempt& attempt) {
    try {
      TaskContext context(attempt.item, attempt.run);
      return chain_.stepwise ? run_steps(attempt, context) : run_first(attempt, context);
    } catch (const abi::__forced_unwind&) {
      throw;  // The thread is being ended, which nobody may stop.
    } catch (...) {
      attempt.failed_with_current_exception();
    }
    return false;
  }

  // From task to task without keeping what lies between.
  bool run_first(Attempt& attempt, TaskContext& context) {
    return with_argument<0>(attempt, [&](auto&& value) {
      return run_on<0>(std::forward<decltype(value)>(value), attempt, context);
    });
  }

  template <std::size_t K, class V>
  bool run_on(V&& value, Attempt& attempt, TaskContext& context) {
    return run_task<K>(std::forward<V>(value), attempt, context, [&](auto&& result) {
      if constexpr (K + 1 == Tasks::count) {
        chain_.place(attempt.item, std::forward<decltype(result)>(result));
        return true;
      } else {
        using Next = typename Tasks::template Given<K + 1>;
        Next next(std::forward<decltype(result)>(result));
        if constexpr (takes_value<typename Tasks::template Function<K + 1>, Next>)
          return run_on<K + 1>(std::move(next), attempt, context);
        else
          return run_on<K + 1>(std::as_const(next), attempt, context);
      }
    });
  }

  // From task to task, each result written into the item.
  bool run_steps(Attempt& attempt, TaskContext& context) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      return (run_step<K>(attempt, context) && ...);
    }
    (std::make_index_sequence<Tasks::count>{});
  }

  template <std::size_t K>
  bool run_step(Attempt& attempt, TaskContext& context) {
    Item& item = attempt.item;
    if (item.task > K) return true;
    return with_argument<K>(attempt, [&](auto&& value) {
      return run_task<K>(
          std::forward<decltype(value)>(value), attempt, context, [&](auto&& result) {
            if constexpr (K + 1 == Tasks::count) {
              chain_.place(item, std::forward<decltype(result)>(result));
            } else {
              using Next = typename Tasks::template Given<K + 1>;
              item.value.template emplace<Next>(std::forward<decltype(result)>(result));
              item.task = K + 1;
              item.attempt = 0;
            }
            return true;
          });
    });
  }

  /// Hands the item's value on as task K may have it.
  template <std::size_t K, class Then>
  bool with_argument(Attempt& attempt, Then then) {
    using Given = typename Tasks::template Given<K>;
    Given& value = attempt.item.value.template as<Given>();
    if constexpr (takes_const<typename Tasks::template Function<K>, Given>) {
      return then(std::as_const(value));
    } else if constexpr (can_copy<Given>) {
      if (chain_.config.retry.attempts <= 1) return then(std::move(value));
      Given copy(value);
      return then(std::move(copy));
    } else {
      return then(std::move(value));
    }
  }

  template <std::size_t K, class V, class Then>
  bool run_task(V&& value, Attempt& attempt, TaskContext& context, Then then) {
    const auto& task = std::get<K>(chain_.tasks);
    using Raw = decltype(call(task.function, std::forward<V>(value), context));
    const auto call_it = [&]() -> Raw {
      const LimitPlace place = attempt.place_in(task.limit);
      attempt.start(K);
      return call(task.function, std::forward<V>(value), context);
    };
    if constexpr (std::is_void_v<Raw>) {
      call_it();
      return attempt.complete() && then(Nothing{});
    } else {
      auto result = call_it();
      if constexpr (Expected<decltype(result)>::is_expected) {
        if (!result) {
          attempt.failed(failure_of(result.error()));
          return false;
        }
      }
      return attempt.complete() && then(payload(result));
    }
  }

  Tasks chain_;
  const bool simple_;
};

}  // namespace espalier::pipeline::detail
