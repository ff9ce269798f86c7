#pragma once

#include "espalier/pipeline/core/item.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace espalier::pipeline {

using supervisor::Backoff;
using supervisor::Jitter;

/// What is repeated after a failure: the task that failed, or all tasks of the stage from the
/// stage's input on.
enum class RetryScope : std::uint8_t { per_task, per_stage };

/// When an item is tried again. An item that waits for its next attempt holds a timer and its
/// place in the stage's capacity, but no worker.
struct RetryPolicy {
  std::uint32_t attempts = 1;  ///< In all; 1: no retry.
  RetryScope scope = RetryScope::per_task;
  Backoff backoff = {};  ///< Delay before attempt 2, 3, ...; `initial` == `max`: always the same.
  Duration give_up_after = {};  ///< From the first attempt at the stage; zero: no limit.
  /// Is this worth another attempt? Empty: everything is.
  std::function<bool(const Failure&)> retry_if = {};
};

/// In which order a stage takes its items, or the pipeline hands out its results.
enum class Order : std::uint8_t {
  completion,  ///< As they come.
  input,       ///< As they were fed.
  by_key,      ///< Items of one key as they came, one after the other; keys beside each other.
};

/// What happens to an item that is fed while the first stage is full.
enum class Overflow : std::uint8_t {
  block,        ///< The feeder waits.
  reject,       ///< The feeder is told so; the item was not accepted.
  drop_oldest,  ///< The item that has waited longest there ends as cancelled.
};

/// At most `burst` attempts at once, then `per_second`.
struct RateLimit {
  double per_second = 0;  ///< Zero: no limit.
  double burst = 1;
  /// Stages of one pipeline that write the same name here are limited together, and then all write
  /// the same numbers. Empty: the stage is limited by itself.
  std::string shared_as = {};
  bool operator==(const RateLimit&) const = default;
};

/// Opens when, of the last `window` attempts (at least `minimum`), the share of failures is
/// `threshold` or more; refuses for `open_for`, then lets `probes` attempts through and closes if
/// all of them succeed.
struct BreakerOptions {
  double threshold = 0.5;
  std::uint32_t window = 20;
  std::uint32_t minimum = 10;
  Duration open_for = std::chrono::seconds{30};
  std::uint32_t probes = 1;
  /// While open: items wait in the queue (true), or fail at once with `circuit_open` (false).
  bool hold = false;
};

/// Workers follow the load: more while the queue grows and more workers still bring more, fewer
/// when they bring nothing or attempts become slower.
struct AdaptiveOptions {
  std::uint32_t min = 1;
  std::uint32_t max = 16;
  Duration every = std::chrono::milliseconds{100};
};

/// When a batch is full: whichever comes first. At least one is set.
struct BatchOptions {
  std::size_t count = 0;  ///< Zero: no limit.
  Duration time = {};     ///< Since its first item; zero: no limit.
  std::size_t bytes = 0;  ///< Zero: no limit; needs the stage's `size_of`.
};

/// Windows of `size` items, a new one every `step` items (tumbling when equal, sliding when
/// smaller; items between windows end as skipped when it is larger). With `time` set, windows of
/// that length instead, a new one when the last is over.
struct WindowOptions {
  std::size_t size = 0;
  std::size_t step = 0;  ///< Zero: `size`.
  Duration time = {};
};

/// Options of one stage. All defaults are usable.
struct StageOptions {
  std::uint32_t workers =
      1;                     ///< At most so many items (coroutines) or batches are in work at once.
  std::size_t capacity = 0;  ///< Items at the stage, in work or waiting; zero: 10 per worker.
  Order order = Order::completion;
  RetryPolicy retry = {};
  Duration timeout = {};  ///< Of one attempt; zero: none.
  RateLimit rate = {};
  std::optional<BreakerOptions> breaker = {};
  std::optional<AdaptiveOptions> adaptive = {};
  /// Waiting so long makes an item as urgent as one of a priority lower by one; zero: no aging.
  Duration aging = {};
  /// Most items a worker takes at once; zero: as many as take about 50 us. 1: one at a time.
  std::size_t batch_limit = 0;
};

/// Options of the whole pipeline.
struct PipelineOptions {
  std::string name = "pipeline";
  Overflow overflow = Overflow::block;
  Duration item_deadline = {};  ///< From feeding to the end of an item; zero: none.
  /// Results that were not taken yet; while there are so many, the last stages wait. Zero: as many
  /// as the last stage's capacity. Not used by `run`, which takes all.
  std::size_t output_capacity = 0;
  Order output_order = Order::completion;  ///< `by_key` is not possible here.
  bool keep_results = true;                ///< False: outcomes are counted, results thrown away.
  std::uint64_t seed = 0;                  ///< For jitter; the same seed, the same delays.
};

}  // namespace espalier::pipeline
