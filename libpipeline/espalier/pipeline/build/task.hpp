#pragma once

#include "espalier/pipeline/build/limit.hpp"

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace espalier::pipeline {

struct TaskOptions {
  Limit limit = {};  ///< Shared by all copies of it; taken for each attempt, not while waiting.
};

/// A function with a name of its own. Stages give those without one a name: that of the stage if
/// it is the only task, else "task1", "task2", ...
template <class F>
struct Task {
  std::string name = {};
  F function;
  Limit limit = {};
};

template <class F>
[[nodiscard]] Task<std::decay_t<F>> task(std::string name, F&& function, TaskOptions options = {}) {
  return {std::move(name), std::forward<F>(function), std::move(options.limit)};
}

/// Several tasks for one stage.
template <class... Fs>
struct TaskList {
  std::tuple<Task<Fs>...> all;
};

namespace detail {

template <class F>
struct TaskFrom {
  using Function = std::decay_t<F>;
  static Task<Function> make(F&& function) { return {{}, std::forward<F>(function), {}}; }
};
template <class F>
struct TaskFrom<Task<F>> {
  using Function = F;
  static Task<F> make(Task<F>&& named) { return std::move(named); }
};
template <class F>
struct TaskFrom<Task<F>&> {
  using Function = F;
  static Task<F> make(Task<F>& named) { return named; }
};

/// The tasks that a stage was given: one function, one task, or a list of either.
template <class F>
struct TasksFrom {
  using List = TaskList<typename TaskFrom<F>::Function>;
  static List make(F&& one) { return {{TaskFrom<F>::make(std::forward<F>(one))}}; }
};
template <class... Fs>
struct TasksFrom<TaskList<Fs...>> {
  using List = TaskList<Fs...>;
  static List make(List&& list) { return std::move(list); }
};

}  // namespace detail

/// tasks(read, task("upload", upload, {.limit = two}), check): run one after the other by the same
/// worker, each with what the one before it returned.
template <class... Fs>
[[nodiscard]] TaskList<typename detail::TaskFrom<Fs>::Function...> tasks(Fs&&... functions) {
  static_assert(sizeof...(Fs) > 0, "a stage needs at least one task");
  return {{detail::TaskFrom<Fs>::make(std::forward<Fs>(functions))...}};
}

}  // namespace espalier::pipeline
