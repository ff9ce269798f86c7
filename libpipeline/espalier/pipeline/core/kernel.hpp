#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

namespace espalier::pipeline {

/// A moment in the life of a task, told to whoever watches (see track_event.hpp).
enum class TaskMoment : std::uint8_t { start, complete, retry, fail };

/// What a kernel sees of the attempt it runs.
class RunContext {
 public:
  virtual ~RunContext() = default;
  /// Requested when the attempt's time is over, or by `abort`.
  [[nodiscard]] virtual std::stop_token stop_token() const = 0;
  /// False: nobody watches, `on_task` need not be called.
  [[nodiscard]] virtual bool watched() const = 0;
  /// Once for each moment of each task of an item; the attempt is item.attempt + 1.
  virtual void on_task(const Item& item, std::uint16_t task, TaskMoment moment,
                       const Failure* failure) = 0;
  /// What the worker is doing just now, for dashboards (`set_task_status`).
  virtual void set_status(std::string text) = 0;

  /// The kernel says which item of the batch it comes to: so the Runner can tell an item that ended
  /// its thread from those that only wait behind it. Costs one store.
  void at(const Item& item) { current_ = &item; }

 protected:
  const Item* current_ = nullptr;
};

/// The work of a stage, without its types. One object serves all workers at the same time, so
/// `run` is called on several threads at once.
class Kernel {
 public:
  virtual ~Kernel() = default;

  /// Runs the items and sets verdict, port, value and failure of each. Does not throw: what a task
  /// throws becomes a failure. While an item may be retried its value stays as it was before the
  /// task that failed (per_task: `item.task` says which) or before the stage (per_stage).
  /// Returns whether every verdict is `pass` with port 0.
  virtual bool run(std::span<Item> items, RunContext& context) = 0;

  /// Names of the tasks, in order; never empty.
  [[nodiscard]] virtual std::span<const std::string> tasks() const = 0;
};

/// A kernel whose tasks are coroutines: starts the item and returns. `done` is called exactly once
/// for the item, on any thread, when verdict, port, value and failure are set; the item stays
/// where it is until then.
class AsyncKernel : public Kernel {
 public:
  bool run(std::span<Item> items, RunContext& context) override = 0;
  virtual void start(Item& item, RunContext& context, std::function<void()> done) = 0;
};

}  // namespace espalier::pipeline
