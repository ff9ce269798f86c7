#pragma once

#include "espalier/pipeline/build/draft.hpp"
#include "espalier/pipeline/build/shape_kernels.hpp"
#include "espalier/pipeline/build/task_kernel.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// From typed tasks and options to a node of the plan.
namespace espalier::pipeline::detail {

template <class In, class List>
struct ChainOf;
template <class In, class... Fs>
struct ChainOf<In, TaskList<Fs...>> : Chain<In, Fs...> {};
/// What the tasks give that a stage was given as an F.
template <class In, class F>
using OutOf = typename ChainOf<In, typename TasksFrom<F>::List>::Out;

/// Makes the kernel of a TaskChain with coroutines; `pipeline_async.hpp` has it.
template <class Tasks>
struct AsyncKernelMaker;

template <class T>
NodePlan plain_node(const std::string& name) {
  NodePlan node;
  node.name = name;
  node.input = typeid(T);
  node.input_name = type_name(typeid(T));
  return node;
}

inline StageFacts plain_facts(const std::string& name, const CallbackErrors& errors) {
  StageFacts facts;
  facts.stage = name;
  facts.tasks = {name};
  facts.callback_errors = errors;
  return facts;
}

template <class T>
NodePlan gather_node(const std::string& name, const CallbackErrors& errors) {
  auto node = plain_node<T>(name);
  node.one_to_one = false;
  node.kernel = std::make_shared<GatherKernel<T>>(plain_facts(name, errors));
  return node;
}
template <class T>
NodePlan pass_node(const std::string& name, const CallbackErrors& errors) {
  auto node = plain_node<T>(name);
  node.kernel = std::make_shared<PassKernel>(plain_facts(name, errors));
  return node;
}
template <class T>
NodePlan copy_node(const std::string& name, const CallbackErrors& errors, std::size_t ports) {
  auto node = plain_node<T>(name);
  node.one_to_one = false;
  node.kernel = std::make_shared<CopyKernel>(plain_facts(name, errors), ports);
  return node;
}

template <class In, class Out>
StageOptions plain_options(const StageConfig<In, Out>& config) {
  StageOptions options;
  options.workers = config.workers;
  options.capacity = config.capacity;
  options.order = config.key.hash() ? Order::by_key : config.order;
  options.retry = for_engine(config.retry);
  options.timeout = config.timeout;
  options.rate = config.rate;
  options.breaker = config.breaker;
  options.adaptive = config.adaptive;
  options.aging = config.aging;
  options.batch_limit = config.batch_limit;
  return options;
}

template <class... Fs>
std::vector<std::string> task_names(const std::string& stage,
                                    const std::tuple<Task<Fs>...>& tasks) {
  std::vector<std::string> names =
      std::apply([](const auto&... each) { return std::vector<std::string>{each.name...}; }, tasks);
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names[k].empty()) names[k] = names.size() == 1 ? stage : "task" + std::to_string(k + 1);
  }
  return names;
}

template <Shape shape, class In, class Out, class... Fs>
NodePlan task_node(Draft& draft, const std::string& name, TaskList<Fs...> list,
                   StageConfig<In, Out> config, std::size_t ports) {
  static_assert((shape != Shape::filter && shape != Shape::route) || sizeof...(Fs) == 1,
                "filters and splits have one function");
  using Tasks = TaskChain<shape, In, Out, Fs...>;
  auto node = plain_node<In>(name);
  node.options = plain_options(config);
  node.key = config.key.hash();
  node.one_to_one = shape != Shape::expand;
  node.on_failure = failure_callback(config.on_failure, draft.callback_errors());
  StageFacts facts;
  facts.stage = name;
  facts.tasks = task_names(name, list.all);
  facts.retry = config.retry;
  facts.timeout = config.timeout;
  facts.callback_errors = draft.callback_errors();
  Tasks tasks{std::move(facts), std::move(list.all), std::move(config), ports};
  if (!tasks.can_repeat())
    draft.problem(name, "it may be tried " + std::to_string(tasks.config.retry.attempts) +
                            " times, but a task takes its argument away and the type cannot be "
                            "copied; let the task take a const reference, or set attempts to 1");
  if constexpr (Chain<In, Fs...>::is_async) {
    node.async = true;
    node.kernel = AsyncKernelMaker<Tasks>::make(std::move(tasks));
  } else {
    node.kernel = std::make_shared<TaskKernel<shape, In, Out, Fs...>>(std::move(tasks));
  }
  return node;
}

/// The type that all branches give which do not end in a sink.
template <class... Outs>
struct Join {
  using type = Nothing;
};
template <class First, class... Rest>
struct Join<First, Rest...> {
  using Others = typename Join<Rest...>::type;
  static_assert(std::is_same_v<First, Others> || std::is_same_v<First, Nothing> ||
                    std::is_same_v<Others, Nothing>,
                "all branches must give the same type, or end in a sink");
  using type = std::conditional_t<std::is_same_v<First, Nothing>, Others, First>;
};
template <class Now, class... Branches>
struct CheckedJoin {
  static_assert(sizeof...(Branches) > 0, "there must be at least one branch");
  static_assert((std::is_same_v<Now, typename Branches::input_type> && ...),
                "every branch must take what comes here: from<T>() with that T");
  using type = typename Join<typename Branches::output_type...>::type;
};
template <class Now, class... Branches>
using JoinOf = typename CheckedJoin<Now, Branches...>::type;

template <class Joined, class... Branches>
std::vector<Draft::Branch> branches_of(Branches&&... branches) {
  std::vector<Draft::Branch> all;
  (all.push_back(
       {std::move(branches.draft_), std::is_same_v<typename Branches::output_type, Nothing> &&
                                        !std::is_same_v<Joined, Nothing>}),
   ...);
  return all;
}

}  // namespace espalier::pipeline::detail
