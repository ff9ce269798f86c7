#pragma once

#include "espalier/pipeline/core/kernel.hpp"
#include "espalier/pipeline/core/options.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <typeindex>
#include <vector>

namespace espalier::pipeline {

/// What a node does with the items that come.
enum class NodeKind : std::uint8_t {
  task,    ///< Runs its kernel on each item.
  batch,   ///< Gathers items until BatchOptions are met, then runs its kernel on them together: the
           ///< first item becomes the batch, the others are `absorbed`.
  window,  ///< Like batch, by WindowOptions; with a step smaller than the size, items are copied.
};

/// A stage as the engine sees it.
struct NodePlan {
  std::string name = {};
  NodeKind kind = NodeKind::task;
  std::shared_ptr<Kernel> kernel = {};
  bool async = false;  ///< `kernel` is an AsyncKernel; items are claimed one by one.
  /// Every item that passes goes on alone, none becomes several (false: flat_map, broadcast).
  bool one_to_one = true;
  StageOptions options = {};
  BatchOptions batch = {};
  WindowOptions window = {};
  std::vector<NodeId> next = {};         ///< By port; `output_node`: leaves with its value.
  std::type_index input = typeid(void);  ///< What its items must hold.
  std::string input_name = {};           ///< The same for people.
  /// Order::by_key: equal for equal keys. Must not throw.
  std::function<std::uint64_t(const Value&)> key = {};
  std::function<std::size_t(const Value&)> size_of = {};  ///< For BatchOptions::bytes.
  /// Told once of every item that fails or is cancelled here, for whatever reason, after it was
  /// counted and before it is a result. Called by the Runner without its lock. Must not throw.
  std::function<void(const Item&)> on_failure = {};
};

/// A whole pipeline, ready to be checked and run.
struct Plan {
  PipelineOptions options = {};
  std::vector<NodePlan> nodes = {};  ///< The first is where items are fed unless said otherwise.
};

/// What is wrong with a plan, for a person: which stage, what, what to do.
struct PlanError {
  std::string stage = {};
  std::string message = {};
};

/// Everything that can be wrong before the first item: no stage; equal or empty names; workers 0;
/// attempts 0; an end that dangles; a cycle (items could go round for ever); a node that no item
/// can reach from any entry; `Order::input` behind a node that multiplies or combines items; by_key
/// without a key; a batch without a limit, or with bytes and no size; a window of size 0; adaptive
/// min > max; a breaker's threshold outside (0, 1]; a rate below zero; output order by_key.
/// All problems, not only the first. Nodes whose name contains "/" belong to a nested pipeline.
[[nodiscard]] std::vector<PlanError> check(const Plan& plan);

/// The picture of a plan in the DOT language.
[[nodiscard]] std::string to_dot(const Plan& plan);

}  // namespace espalier::pipeline
