#pragma once

#include "espalier/pipeline/core/flow.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline::testing {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Does to each item what a test says; without a script items pass through port 0.
class ScriptKernel : public Kernel {
 public:
  using Script = std::function<void(Item&)>;
  explicit ScriptKernel(Script script = {}) : script_(std::move(script)) {}

  bool run(std::span<Item> items, RunContext&) override {
    apply(items);
    return false;
  }
  void apply(std::span<Item> items) {
    if (!script_) return;
    for (auto& item : items)
      script_(item);
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  Script script_;
  std::vector<std::string> tasks_ = {"work"};
};

/// Makes one std::vector<int> of the ints of a batch.
class BatchKernel : public Kernel {
 public:
  bool run(std::span<Item> items, RunContext&) override {
    apply(items);
    return false;
  }
  static void apply(std::span<Item> items) {
    std::vector<int> all;
    for (auto& item : items) {
      all.push_back(item.value.as<int>());
      item.verdict = Verdict::absorbed;
    }
    items.front().value = Value::of<std::vector<int>>(std::move(all));
    items.front().verdict = Verdict::pass;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_ = {"batch"};
};

inline void fail(Item& item, const std::string& why = "no luck",
                 Failure::Kind kind = Failure::Kind::thrown) {
  item.verdict = Verdict::fail;
  item.failure = std::make_unique<Failure>();
  item.failure->kind = kind;
  item.failure->message = why;
  item.failure->type = "TestError";
}

inline NodePlan stage(std::string name, std::vector<NodeId> next, ScriptKernel::Script script = {},
                      StageOptions options = {}) {
  NodePlan node;
  node.name = std::move(name);
  node.kernel = std::make_shared<ScriptKernel>(std::move(script));
  node.options = std::move(options);
  node.next = std::move(next);
  return node;
}

/// A line of stages that pass everything on.
inline Plan line(std::size_t stages, const StageOptions& options = {}) {
  Plan plan;
  for (std::size_t i = 0; i < stages; ++i) {
    const auto last = i + 1 == stages;
    const auto next = last ? output_node : static_cast<NodeId>(i + 1);
    plan.nodes.push_back(stage(std::string(1, static_cast<char>('a' + i)), {next}, {}, options));
  }
  return plan;
}

/// A Flow, a clock that a test moves, and one thread's worth of hands.
class FlowDriver {
 public:
  explicit FlowDriver(Plan plan) : flow(std::move(plan)) {}

  /// How many of the values were taken.
  std::size_t feed(const std::vector<int>& values, NodeId node = 0,
                   std::int32_t priority = default_priority) {
    auto chunk = flow.new_chunk();
    for (const auto value : values) {
      auto& item = chunk->items.emplace_back();
      item.value = Value::of<int>(value);
      item.priority = priority;
    }
    auto rest = flow.accept(node, std::move(chunk), now);
    const auto left = rest ? rest->items.size() : 0;
    flow.recycle(std::move(rest));
    return values.size() - left;
  }
  std::size_t feed_count(std::size_t count, NodeId node = 0) {
    std::vector<int> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = static_cast<int>(i);
    return feed(values, node);
  }
  static void run_kernel(const Flow& flow, const Work& work) {
    auto& kernel = *flow.plan().nodes[work.node].kernel;
    if (auto* script = dynamic_cast<ScriptKernel*>(&kernel))
      return script->apply(work.chunk->items);
    BatchKernel::apply(work.chunk->items);
  }
  /// Runs a work, and what the same worker may go on with.
  void run(std::optional<Work> work, Duration each = {}) {
    while (work) {
      now += each;
      run_kernel(flow, *work);
      work = flow.finish(*work, now);
    }
  }
  /// Works until there is nothing to do just now.
  void settle(Duration each = {}) {
    while (auto work = flow.claim(now))
      run(work, each);
  }
  void advance() {
    expired.clear();
    flow.advance(now, expired);
  }
  /// Works, takes results and lets time pass until nothing is due any more.
  void finish_all(Duration each = {}) {
    for (int i = 0; i < 100000; ++i) {
      settle(each);
      if (take() || flow.has_work(now)) continue;
      const auto due = flow.next_deadline();
      if (!due) return;
      now = std::max(now, *due);
      advance();
    }
  }
  bool take() {
    bool any = false;
    while (auto chunk = flow.take_outputs()) {
      for (auto& item : chunk->items)
        outputs.push_back(std::move(item));
      flow.recycle(std::move(chunk));
      any = true;
    }
    return any;
  }
  [[nodiscard]] std::vector<ItemSeq> seqs() const {
    std::vector<ItemSeq> all;
    for (const auto& item : outputs)
      all.push_back(item.seq);
    return all;
  }
  [[nodiscard]] std::vector<int> values() const {
    std::vector<int> all;
    for (const auto& item : outputs) {
      if (item.verdict == Verdict::pass) all.push_back(item.value.as<int>());
    }
    return all;
  }
  [[nodiscard]] StageStats stats(NodeId node) const { return flow.snapshot(now).stages[node]; }

  Flow flow;
  TimePoint now = TimePoint{seconds{1000}};
  std::vector<Item> outputs = {};
  std::vector<std::uint64_t> expired = {};
};

}  // namespace espalier::pipeline::testing
