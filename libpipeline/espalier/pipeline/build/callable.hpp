#pragma once

#include "espalier/pipeline/build/task_context.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace espalier::pipeline {

/// What a coroutine gives in the end. `pipeline_async.hpp` knows the coroutines of Asio.
template <class R>
struct AsyncResult {
  static constexpr bool is_async = false;
  using type = R;
};

}  // namespace espalier::pipeline

/// How a task can be called, found out at compile time.
namespace espalier::pipeline::detail {

template <class T>
inline constexpr bool is_tuple = false;
template <class... Ts>
inline constexpr bool is_tuple<std::tuple<Ts...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;

template <class F, class V, class Indices>
inline constexpr bool unpackable_with = false;
template <class F, class V, std::size_t... I>
inline constexpr bool unpackable_with<F, V, std::index_sequence<I...>> =
    std::is_invocable_v<const F&, decltype(std::get<I>(std::declval<V>()))...>;
template <class F, class V, class Indices>
inline constexpr bool unpackable_with_context = false;
template <class F, class V, std::size_t... I>
inline constexpr bool unpackable_with_context<F, V, std::index_sequence<I...>> =
    std::is_invocable_v<const F&, decltype(std::get<I>(std::declval<V>()))..., TaskContext&>;

enum class Form : std::uint8_t { none, direct, context, unpacked, unpacked_context };

/// V is `const T&` or `T&&`.
template <class F, class V>
consteval Form form_of() {
  using T = std::remove_cvref_t<V>;
  if constexpr (std::is_invocable_v<const F&, V>) {
    return Form::direct;
  } else if constexpr (std::is_invocable_v<const F&, V, TaskContext&>) {
    return Form::context;
  } else if constexpr (is_tuple<T>) {
    using Indices = std::make_index_sequence<std::tuple_size_v<T>>;
    if constexpr (unpackable_with<F, V, Indices>)
      return Form::unpacked;
    else if constexpr (unpackable_with_context<F, V, Indices>)
      return Form::unpacked_context;
    else
      return Form::none;
  } else {
    return Form::none;
  }
}

/// The task leaves the value where it is, so that it can be run again.
template <class F, class T>
inline constexpr bool takes_const = form_of<F, const T&>() != Form::none;
template <class F, class T>
inline constexpr bool takes_value = form_of<F, T&&>() != Form::none;

template <class F, class V>
decltype(auto) call(const F& f, V&& value, TaskContext& context) {
  constexpr Form form = form_of<F, V&&>();
  if constexpr (form == Form::direct) {
    return std::invoke(f, std::forward<V>(value));
  } else if constexpr (form == Form::context) {
    return std::invoke(f, std::forward<V>(value), context);
  } else if constexpr (form == Form::unpacked) {
    return std::apply(f, std::forward<V>(value));
  } else {
    return std::apply(
        [&]<class... A>(A&&... args) -> decltype(auto) {
          return std::invoke(f, std::forward<A>(args)..., context);
        },
        std::forward<V>(value));
  }
}

template <class T>
struct Expected {
  static constexpr bool is_expected = false;
  using type = std::conditional_t<std::is_void_v<T>, Nothing, std::remove_cvref_t<T>>;
};
template <class T, class E>
struct Expected<espalier::expected<T, E>> {
  static constexpr bool is_expected = true;
  using type = std::conditional_t<std::is_void_v<T>, Nothing, T>;
};

/// Everything about one task F that is given a T.
template <class F, class T>
struct TaskOf {
  static_assert(takes_const<F, T> || takes_value<F, T>,
                "this task cannot be called with what the stage before it gives: it must take "
                "`const T&` (or `T`, or the elements of a tuple), then perhaps a `TaskContext&`, "
                "and be callable as const (no `mutable` lambda), since several workers call it at "
                "the same time");
  using Argument = std::conditional_t<takes_const<F, T>, const T&, T&&>;
  using Raw = decltype(call(std::declval<const F&>(), std::declval<Argument>(),
                            std::declval<TaskContext&>()));
  static constexpr bool is_async = AsyncResult<std::remove_cvref_t<Raw>>::is_async;
  using Returned = typename AsyncResult<std::remove_cvref_t<Raw>>::type;  ///< Maybe an expected.
  static constexpr bool may_fail = Expected<std::remove_cvref_t<Returned>>::is_expected;
  using Out = typename Expected<std::remove_cvref_t<Returned>>::type;
};

/// A list of tasks, each of which is given what the one before it returned.
template <class In, class... Fs>
struct Chain;
template <class In>
struct Chain<In> {
  using Out = In;
  static constexpr bool is_async = false;
};
template <class In, class F, class... Rest>
struct Chain<In, F, Rest...> {
  using Next = Chain<typename TaskOf<F, In>::Out, Rest...>;
  using Out = typename Next::Out;
  static constexpr bool is_async = TaskOf<F, In>::is_async || Next::is_async;
};

/// What the task at place K of a chain is given.
template <std::size_t K, class In, class F, class... Rest>
struct GivenTo {
  using type = typename GivenTo<K - 1, typename TaskOf<F, In>::Out, Rest...>::type;
};
template <class In, class F, class... Rest>
struct GivenTo<0, In, F, Rest...> {
  using type = In;
};

}  // namespace espalier::pipeline::detail
