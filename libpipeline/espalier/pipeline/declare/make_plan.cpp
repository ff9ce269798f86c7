#include "espalier/pipeline/declare/internal/make_plan.hpp"

#include "espalier/pipeline/declare/internal/command_kernel.hpp"
#include "espalier/pipeline/declare/json_text.hpp"

#include <algorithm>
#include <functional>

namespace espalier::pipeline::internal {

namespace {

NodeId node_of(const PipelineSpec& spec, const std::string& name) {
  const auto found = std::find_if(spec.stages.begin(), spec.stages.end(),
                                  [&](const StageSpec& stage) { return stage.name == name; });
  return found == spec.stages.end() ? output_node
                                    : static_cast<NodeId>(found - spec.stages.begin());
}

/// By port, in the order the kernels count in.
std::vector<NodeId> targets_of(const PipelineSpec& spec, std::size_t index) {
  const auto& stage = spec.stages[index];
  std::vector<NodeId> targets;
  for (const auto& route : stage.split)
    targets.push_back(node_of(spec, route.to));
  for (const auto& name : stage.broadcast)
    targets.push_back(node_of(spec, name));
  if (!stage.next.empty()) {
    targets.push_back(node_of(spec, stage.next));
  } else if (targets.empty()) {
    const bool is_last = index + 1 == spec.stages.size();
    targets.push_back(is_last ? output_node : static_cast<NodeId>(index + 1));
  }
  return targets;
}

void set_retry(const StageSpec& stage, NodePlan& node) {
  auto& retry = node.options.retry;
  retry.backoff.max = std::max(retry.backoff.max, retry.backoff.initial);
  std::vector<std::string> final_types;
  for (const auto code : stage.no_retry_exit_codes)
    final_types.push_back(CommandKernel::exit_type(code));
  if (final_types.empty()) return;
  retry.retry_if = [final_types](const Failure& failure) {
    return std::find(final_types.begin(), final_types.end(), failure.type) == final_types.end();
  };
}

std::uint64_t key_of(const FieldPath& path, const Value& value) {
  const auto* field = path.in(value.as<Json>());
  return field == nullptr ? 0 : std::hash<std::string>{}(to_line(*field));
}

NodePlan make_node(const PipelineSpec& spec, std::size_t index, const JsonTasks& tasks) {
  const auto& stage = spec.stages[index];
  NodePlan node;
  node.name = stage.name;
  node.options = stage.options;
  node.next = targets_of(spec, index);
  node.input = typeid(Json);
  node.input_name = "JSON";
  node.one_to_one = !stage.unpack && stage.broadcast.empty();
  set_retry(stage, node);
  if (stage.process.command.empty()) {
    node.kernel = make_shape_kernel(stage, tasks);
  } else {
    node.kernel = std::make_shared<CommandKernel>(stage);
    // A process for each: no item may wait behind another one's. A time-out is that of one item.
    if (stage.mode == CommandMode::per_item || stage.options.timeout > Duration::zero())
      node.options.batch_limit = 1;
  }
  if (!stage.key.empty()) {
    node.key = [path = FieldPath::parse(stage.key).value()](const Value& value) {
      return key_of(path, value);
    };
  }
  if (stage.batch) {
    node.kind = NodeKind::batch;
    node.batch = *stage.batch;
    node.size_of = [](const Value& value) { return to_line(value.as<Json>()).size(); };
  } else if (stage.window) {
    node.kind = NodeKind::window;
    node.window = *stage.window;
  }
  return node;
}

}  // namespace

Plan make_plan(const PipelineSpec& spec, const JsonTasks& tasks) {
  Plan plan;
  plan.options.name = spec.name;
  plan.options.item_deadline = spec.item_deadline;
  plan.options.output_order = spec.output_order;
  for (std::size_t i = 0; i < spec.stages.size(); ++i)
    plan.nodes.push_back(make_node(spec, i, tasks));
  return plan;
}

}  // namespace espalier::pipeline::internal
