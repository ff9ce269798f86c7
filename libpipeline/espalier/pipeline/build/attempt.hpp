#pragma once

#include "espalier/pipeline/build/describe.hpp"
#include "espalier/pipeline/build/limit.hpp"
#include "espalier/pipeline/build/task_context.hpp"
#include "espalier/pipeline/core/kernel.hpp"
#include "espalier/pipeline/core/options.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace espalier::pipeline::detail {

/// Errors in callbacks of a pipeline's stages.
using CallbackErrors = std::shared_ptr<std::atomic<std::uint64_t>>;

/// What a stage's kernel knows about its stage, without types.
struct StageFacts {
  std::string stage = {};
  std::vector<std::string> tasks = {};
  RetryPolicy retry = {};
  Duration timeout = {};
  CallbackErrors callback_errors = {};
};

/// Stands in a Failure's `retry_after` for: `retry_if` has been asked, and said no.
inline constexpr Duration not_again{-1};

/// One attempt of one item: tells whoever watches, and writes down how it failed.
struct Attempt {
  const StageFacts& facts;
  Item& item;
  RunContext& run;
  bool watched = false;
  std::size_t task = 0;

  void start(std::size_t which) {
    task = which;
    if (watched) tell(TaskMoment::start, nullptr);
  }
  /// The task came back. False: too late, so the attempt has failed. Asked before the result takes
  /// the place of what the task was given, for that is needed again.
  [[nodiscard]] bool complete() {
    if (too_late()) {
      failed_too_late();
      return false;
    }
    if (watched) tell(TaskMoment::complete, nullptr);
    return true;
  }
  /// Sets verdict and failure, and says whether it will be tried again.
  void failed(std::unique_ptr<Failure> failure);
  /// What is being handled just now.
  void failed_with_current_exception();
  /// The task came back when its time was over.
  [[nodiscard]] bool too_late() const {
    return facts.timeout > Duration{} && run.stop_token().stop_requested();
  }
  void failed_too_late();
  /// Waits for a place; throws when a stop is requested before.
  [[nodiscard]] LimitPlace place_in(const Limit& limit) const;

 private:
  void tell(TaskMoment moment, const Failure* failure) {
    run.on_task(item, static_cast<std::uint16_t>(task), moment, failure);
  }
  [[nodiscard]] bool will_be_repeated(Failure& failure) const;
};

/// Forgets the last attempt. The verdict is pass until something else is known.
inline void begin(Item& item) {
  if (item.failure) item.failure.reset();
  item.verdict = Verdict::pass;
  item.port = 0;
  item.passed_through = false;
}

/// The item was still waiting in its batch when a stop was requested.
void stopped_before_its_turn(const StageFacts& facts, Item& item);

/// Runs a callback; what it throws is counted and dropped.
template <class F>
void call_back(const CallbackErrors& errors, F&& callback) {
  try {
    callback();
  } catch (...) {
    if (errors) errors->fetch_add(1, std::memory_order_relaxed);
  }
}

/// `on_failure` as the engine calls it.
[[nodiscard]] std::function<void(const Item&)> failure_callback(
    std::function<void(const ItemView&, const Failure&)> callback, CallbackErrors errors);

/// The policy as the engine sees it: `retry_if` of the user has been asked by the kernel, without
/// any lock, but for attempts that ran out of time, which no kernel sees.
[[nodiscard]] RetryPolicy for_engine(RetryPolicy policy);

}  // namespace espalier::pipeline::detail
