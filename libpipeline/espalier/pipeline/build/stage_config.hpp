#pragma once

#include "espalier/pipeline/build/task_context.hpp"
#include "espalier/pipeline/core/options.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>

namespace espalier::pipeline {

/// `attempts` in all, with the same pause between them.
[[nodiscard]] inline RetryPolicy fixed(std::uint32_t attempts, Duration pause) {
  RetryPolicy policy;
  policy.attempts = attempts;
  policy.backoff.initial = pause;
  policy.backoff.max = pause;
  policy.backoff.jitter = Jitter::none;
  return policy;
}

/// `attempts` in all, with pauses that double from `initial` up to `max`, spread at random.
[[nodiscard]] inline RetryPolicy exponential(std::uint32_t attempts, Duration initial,
                                             Duration max = std::chrono::seconds{30}) {
  RetryPolicy policy;
  policy.attempts = attempts;
  policy.backoff.initial = initial;
  policy.backoff.max = max;
  return policy;
}

/// What makes items belong together: a member (`&Order::customer`) or a function of the value. The
/// result must have a std::hash. Must not throw.
template <class T>
class KeyOf {
 public:
  KeyOf() = default;
  template <class F>
  requires(!std::same_as<std::decay_t<F>, KeyOf> && std::is_invocable_v<const F&, const T&>)
      KeyOf(F key)  // NOLINT(google-explicit-constructor): {.key = &Order::customer}
      : hash_([key = std::move(key)](const Value& value) -> std::uint64_t {
          decltype(auto) found = std::invoke(key, value.as<T>());
          return std::hash<std::remove_cvref_t<decltype(found)>>{}(found);
        }) {}
  [[nodiscard]] const std::function<std::uint64_t(const Value&)>& hash() const { return hash_; }

 private:
  std::function<std::uint64_t(const Value&)> hash_ = {};
};

namespace detail {
/// Stands where `skip_if` would be. An item that skips its stage goes on as it is, so this is for
/// stages only that return what they take.
struct OnlyForStagesThatReturnTheTypeTheyTake {};
}  // namespace detail

/// Options of one stage that takes an In and gives an Out. All defaults are usable. The times are
/// durations; what each plain option means in detail is said in core/options.hpp.
template <class In, class Out>
struct StageConfig {
  std::uint32_t workers = 1;
  std::size_t capacity = 0;  ///< Items at the stage, in work or waiting; zero: 10 per worker.
  Order order = Order::completion;
  KeyOf<In> key = {};  ///< If given, the order is by_key.
  RetryPolicy retry = {};
  Duration timeout = {};  ///< Of one attempt; zero: none.
  RateLimit rate = {};
  std::optional<BreakerOptions> breaker = {};
  std::optional<AdaptiveOptions> adaptive = {};
  Duration aging = {};
  std::size_t batch_limit = 0;
  /// True: the item goes on to the next stage untouched.
  std::conditional_t<std::same_as<In, Out>, std::function<bool(const In&)>,
                     detail::OnlyForStagesThatReturnTheTypeTheyTake>
      skip_if = {};
  /// What these throw is counted (AnyPipeline::callback_errors) and dropped: it never changes what
  /// becomes of the item. They must not block for long.
  /// on_success: called by the worker when the item has passed the stage (skipped ones too).
  /// on_failure: called once when it has failed here for good or was cancelled here, whoever ended
  /// it: its task, a time-out, its deadline, the breaker, `cancel`, `abort`. By the thread that
  /// made it so, after it was counted and before it is a result.
  std::function<void(const ItemView&, const Out&)> on_success = {};
  std::function<void(const ItemView&, const Failure&)> on_failure = {};
};

/// When a batch of T is full: whichever comes first. At least one is set.
template <class T>
struct BatchConfig {
  std::size_t count = 0;                              ///< Zero: no limit.
  Duration time = {};                                 ///< Since its first item; zero: no limit.
  std::size_t bytes = 0;                              ///< Zero: no limit; needs `size_of`.
  std::function<std::size_t(const T&)> size_of = {};  ///< Must not throw.
  std::size_t capacity = 0;                           ///< Items that wait; zero: two batches.
};

}  // namespace espalier::pipeline
