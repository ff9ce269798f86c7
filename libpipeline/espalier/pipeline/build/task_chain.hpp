#pragma once

#include "espalier/pipeline/build/attempt.hpp"
#include "espalier/pipeline/build/callable.hpp"
#include "espalier/pipeline/build/stage_config.hpp"
#include "espalier/pipeline/build/task.hpp"

#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier::pipeline::detail {

/// What is done with the result of the last task.
enum class Shape : std::uint8_t {
  map,     ///< It is the new value.
  filter,  ///< True: the item goes on.
  expand,  ///< Each of its elements goes on.
  route,   ///< It is the number of the port.
  sink,    ///< Nothing.
};

/// Does a container own its elements, so that they may be moved out of it? (A span does not.)
template <class R>
inline constexpr bool owns_elements =
    std::is_const_v<std::remove_reference_t<decltype(*std::begin(std::declval<const R&>()))>>;
template <class R>
using ElementOf =
    typename std::iterator_traits<decltype(std::begin(std::declval<R&>()))>::value_type;

template <class Out, class R>
void place_parts(Item& item, R&& result) {
  std::vector<Value> parts;
  if constexpr (requires { std::size(result); }) parts.reserve(std::size(result));
  for (auto&& element : result) {
    if constexpr (owns_elements<std::remove_cvref_t<R>>)
      parts.push_back(Value::of<Out>(std::move(element)));
    else
      parts.push_back(Value::of<Out>(element));
  }
  item.value.emplace<std::vector<Value>>(std::move(parts));
  item.verdict = Verdict::expand;
}

[[noreturn]] void throw_no_such_branch(std::int64_t chosen, std::size_t branches);

template <class R>
void place_route(Item& item, R chosen, std::size_t branches) {
  static_assert((std::is_integral_v<R> && !std::is_same_v<R, bool>) || std::is_enum_v<R>,
                "the chooser of a split returns the number of the branch, from 0");
  const auto number = static_cast<std::int64_t>(chosen);
  if (number < 0 || static_cast<std::uint64_t>(number) >= branches)
    throw_no_such_branch(number, branches);
  item.port = static_cast<std::uint16_t>(number);
}

/// The value of a task's result; void has become Nothing.
template <class R>
decltype(auto) payload(R& result) {
  if constexpr (!Expected<R>::is_expected) {
    return std::move(result);
  } else if constexpr (std::is_void_v<typename R::value_type>) {
    return Nothing{};
  } else {
    return std::move(*result);
  }
}

/// The tasks of a stage with their types: everything that plain functions and coroutines share.
template <Shape shape, class In, class Out, class... Fs>
struct TaskChain {
  static constexpr std::size_t count = sizeof...(Fs);
  template <std::size_t K>
  using Given = typename GivenTo<K, In, Fs...>::type;
  template <std::size_t K>
  using Function = std::tuple_element_t<K, std::tuple<Fs...>>;
  /// Can task K be run again on what it was given?
  template <std::size_t K>
  static constexpr bool repeatable = takes_const<Function<K>, Given<K>> || can_copy<Given<K>>;

  StageFacts facts;
  std::tuple<Task<Fs>...> tasks;
  StageConfig<In, Out> config;
  std::size_t branches = 1;  ///< Shape::route.
  /// After a failure the stage goes on with the task that failed, so the item holds what that one
  /// was given. Else it holds the stage's input until the end.
  bool stepwise =
      config.retry.attempts > 1 && config.retry.scope == RetryScope::per_task&& count > 1;

  [[nodiscard]] bool takes_value_away() const {
    return !takes_const<Function<0>, In> && config.retry.attempts == 1;
  }

  template <std::size_t... K>
  static constexpr bool all_repeatable(std::index_sequence<K...>) {
    return (repeatable<K> && ...);
  }
  [[nodiscard]] bool can_repeat() const {
    if (config.retry.attempts <= 1) return true;
    return stepwise ? all_repeatable(std::make_index_sequence<count>{}) : repeatable<0>;
  }

  /// Nothing but one plain function, which leaves its argument where it is.
  [[nodiscard]] bool simple() const {
    bool skips = false;
    if constexpr (std::is_same_v<In, Out>) skips = static_cast<bool>(config.skip_if);
    return count == 1 && takes_const<Function<0>, In> && !skips && !config.on_success &&
           config.timeout == Duration{} && !std::get<0>(tasks).limit;
  }

  /// True: the item goes past the stage as it is.
  bool skips(Item& item) const {
    if constexpr (std::is_same_v<In, Out>) {
      if (!config.skip_if) return false;
      bool skip = false;
      call_back(facts.callback_errors, [&] { skip = config.skip_if(item.value.as<In>()); });
      item.passed_through = skip;
      return skip;
    } else {
      return false;
    }
  }

  template <class R>
  void place(Item& item, R&& result) const {
    if constexpr (shape == Shape::map) {
      item.value.emplace<Out>(std::forward<R>(result));
    } else if constexpr (shape == Shape::filter) {
      item.verdict = result ? Verdict::pass : Verdict::skip;
    } else if constexpr (shape == Shape::expand) {
      place_parts<Out>(item, std::forward<R>(result));
    } else if constexpr (shape == Shape::route) {
      place_route(item, result, branches);
    } else {
      item.value.emplace<Nothing>();
    }
  }

  void succeeded(Item& item) const {
    item.task = 0;
    if (config.on_success) call_back(facts.callback_errors, [&] { tell_success(item); });
  }

 private:
  void tell_success(const Item& item) const {
    const ItemView view(item);
    if (item.verdict == Verdict::expand) {
      for (const auto& part : item.value.as<std::vector<Value>>())
        config.on_success(view, part.as<Out>());
    } else if (item.verdict == Verdict::pass) {
      config.on_success(view, item.value.as<Out>());
    }
  }
};

}  // namespace espalier::pipeline::detail
