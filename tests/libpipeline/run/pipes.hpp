#pragma once

#include "espalier/pipeline/run/runner.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::pipeline::testing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// A stage that calls a function for each item; what it throws fails the item.
class FunctionKernel : public Kernel {
 public:
  using Function = std::function<void(Item&, RunContext&)>;
  explicit FunctionKernel(Function function) : function_(std::move(function)) {}

  bool run(std::span<Item> items, RunContext& context) override {
    const bool watched = context.watched();
    bool all_pass = true;
    for (auto& item : items) {
      context.at(item);
      item.verdict = Verdict::pass;
      item.port = 0;
      if (watched) context.on_task(item, 0, TaskMoment::start, nullptr);
      try {
        function_(item, context);
      } catch (const std::exception& error) {
        item.failure = std::make_unique<Failure>();
        item.failure->message = error.what();
        item.verdict = Verdict::fail;
        all_pass = false;
      }
      if (watched) {
        const bool passed = item.verdict == Verdict::pass;
        context.on_task(item, 0, passed ? TaskMoment::complete : TaskMoment::fail,
                        passed ? nullptr : item.failure.get());
      }
    }
    return all_pass;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  Function function_;
  std::vector<std::string> tasks_ = {"function"};
};

inline FunctionKernel::Function nothing() {
  return [](Item&, RunContext&) {};
}

inline NodePlan stage(std::string name, FunctionKernel::Function function,
                      StageOptions options = {}) {
  NodePlan node;
  node.name = std::move(name);
  node.kernel = std::make_shared<FunctionKernel>(std::move(function));
  node.options = std::move(options);
  return node;
}

/// A line of stages.
inline Plan line(std::vector<NodePlan> nodes, PipelineOptions options = {}) {
  Plan plan;
  plan.options = std::move(options);
  plan.nodes = std::move(nodes);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i)
    plan.nodes[i].next = {i + 1 == plan.nodes.size() ? output_node : static_cast<NodeId>(i + 1)};
  return plan;
}

inline Item item_of(std::uint64_t value, std::int32_t priority = default_priority) {
  Item item;
  item.value = Value::of<std::uint64_t>(value);
  item.priority = priority;
  return item;
}

inline std::vector<Item> items(std::uint64_t count, std::uint64_t first = 0) {
  std::vector<Item> made;
  for (std::uint64_t i = 0; i < count; ++i)
    made.push_back(item_of(first + i));
  return made;
}

/// 0, 1, 2, ... count - 1.
inline Source numbers(std::uint64_t count) {
  return [count, next = std::uint64_t{0}](Chunk& chunk, std::size_t most) mutable {
    for (std::size_t i = 0; i < most && next < count; ++i)
      chunk.items.push_back(item_of(next++));
    return next < count;
  };
}

inline TimePoint in(Duration time) {
  return Clock::now() + time;
}

/// Opens once; tasks wait at it.
class Gate {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void wait() const { open_.wait(false); }

 private:
  std::atomic<bool> open_ = false;
};

/// Waits for something that has no call to wait for; false: it did not happen.
template <class Condition>
bool happens(Condition condition, Duration within = 5s) {
  const auto end = in(within);
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(200us);
  }
  return true;
}

struct Taken {
  std::vector<std::uint64_t> values;  ///< Of those that succeeded, as they came.
  std::vector<std::string> errors;
  std::uint64_t skipped = 0;
};

inline void add(Taken& taken, const Chunk& chunk) {
  for (const auto& item : chunk.items) {
    if (item.verdict == Verdict::fail)
      taken.errors.push_back(item.failure ? item.failure->message : "?");
    else if (item.verdict == Verdict::skip)
      ++taken.skipped;
    else
      taken.values.push_back(item.value.as<std::uint64_t>());
  }
}

/// Takes everything until there is nothing more; precondition: input is or will be closed.
inline Taken take_all(Runner& runner) {
  Taken taken;
  while (auto chunk = runner.take(in(30s))) {
    add(taken, *chunk);
    runner.recycle(std::move(chunk));
  }
  return taken;
}

/// Pulls the source to its end and helps, as a `run` does.
inline Taken run(Runner& runner, Source source) {
  Taken taken;
  runner.start(Runner::Caller::helps);
  runner.feed_from(0, std::move(source));
  runner.close_input_after_sources();
  for (;;) {
    auto chunk = runner.help_and_take();
    if (!chunk) break;
    add(taken, *chunk);
    runner.recycle(std::move(chunk));
  }
  runner.stop();
  return taken;
}

}  // namespace espalier::pipeline::testing
