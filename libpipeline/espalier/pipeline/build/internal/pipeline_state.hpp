#pragma once

#include "espalier/pipeline/build/any_pipeline.hpp"

#include <condition_variable>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace espalier::pipeline {

namespace detail {
/// So many results are never reached; half of the range, so that sums do not overflow.
inline constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max() / 2;
}  // namespace detail

/// What all copies of a pipeline share.
struct AnyPipeline::State {
  Plan plan;
  RunnerOptions options;
  std::vector<detail::CallbackErrors> errors;

  mutable std::mutex mutex;
  std::shared_ptr<Runner> runner = {};
  bool busy = false;  ///< Started, and not stopped yet.
  std::vector<std::shared_ptr<TrackSink>> sinks = {};

  // Results of interactive use.
  std::mutex results_mutex;
  std::condition_variable results_came;
  bool somebody_takes = false;
  std::vector<Item> results = {};
  std::uint64_t results_taken = 0;  ///< How often.

  /// A Runner that is idle and set up like this. Marks the pipeline as busy.
  std::shared_ptr<Runner> begin(std::size_t output_capacity, Order order) {
    const std::lock_guard lock(mutex);
    if (busy)
      throw std::logic_error("pipeline '" + plan.options.name +
                             "' is running already; drain it first, or build a second one");
    if (!runner || runner->plan().options.output_capacity != output_capacity ||
        runner->plan().options.output_order != order)
      renew(output_capacity, order);
    busy = true;
    return runner;
  }
  void end() {
    const std::lock_guard lock(mutex);
    busy = false;
  }
  std::shared_ptr<Runner> current() {
    const std::lock_guard lock(mutex);
    if (!runner) renew(detail::no_bound, plan.options.output_order);
    return runner;
  }
  void add_results(ChunkPtr chunk) {
    for (Item& item : chunk->items)
      results.push_back(std::move(item));
    chunk->items.clear();
  }
  void take_what_is_there(Runner& from) {
    const std::lock_guard lock(results_mutex);
    while (auto chunk = from.try_take()) {
      add_results(std::move(chunk));
    }
    results_came.notify_all();
  }

 private:
  void renew(std::size_t output_capacity, Order order) {
    Plan changed = plan;
    changed.options.output_capacity = output_capacity;
    changed.options.output_order = order;
    runner = std::make_shared<Runner>(std::move(changed), options);
    for (const auto& sink : sinks)
      runner->track(sink);
  }
};

}  // namespace espalier::pipeline
