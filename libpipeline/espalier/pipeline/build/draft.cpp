#include "espalier/pipeline/build/draft.hpp"

#include <iterator>
#include <utility>

namespace espalier::pipeline::detail {

Draft::Draft() : errors_{std::make_shared<std::atomic<std::uint64_t>>(0)} {}

void Draft::connect(const std::vector<End>& ends, NodeId to) {
  for (const End& end : ends) {
    auto& next = nodes_[end.node].next;
    if (next.size() <= end.port) next.resize(end.port + 1U, output_node);
    next[end.port] = to;
  }
}

void Draft::add(NodePlan node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  connect(open_, id);
  nodes_.push_back(std::move(node));
  open_ = {End{id, 0}};
}

NodeId Draft::take(Draft&& other, const std::string& prefix) {
  const auto offset = static_cast<NodeId>(nodes_.size());
  for (NodePlan& node : other.nodes_) {
    node.name = prefix + node.name;
    for (NodeId& next : node.next)
      if (next != output_node) next = static_cast<NodeId>(next + offset);
    nodes_.push_back(std::move(node));
  }
  for (PlanError& error : other.problems_) {
    error.stage = prefix + error.stage;
    problems_.push_back(std::move(error));
  }
  for (End& end : other.open_)
    end.node = static_cast<NodeId>(end.node + offset);
  errors_.insert(errors_.end(), other.errors_.begin(), other.errors_.end());
  return offset;
}

void Draft::add_branches(NodePlan node, std::vector<Branch> branches) {
  add(std::move(node));
  const NodeId from = open_.front().node;
  open_.clear();
  for (std::size_t port = 0; port < branches.size(); ++port) {
    const std::vector<End> here = {End{from, static_cast<std::uint16_t>(port)}};
    connect(here, output_node);
    Branch& branch = branches[port];
    if (branch.draft.nodes_.empty()) {
      open_.push_back(here.front());
      continue;
    }
    const NodeId first = take(std::move(branch.draft), {});
    connect(here, first);
    if (branch.ends_in_sink)
      connect(branch.draft.open_, output_node);
    else
      open_.insert(open_.end(), branch.draft.open_.begin(), branch.draft.open_.end());
  }
}

void Draft::nest(const std::string& name, Draft other) {
  if (other.nodes_.empty()) {
    problem(name, "the nested pipeline has no stage; give it one, or leave it out");
    return;
  }
  const auto before = open_;
  const NodeId first = take(std::move(other), name + "/");
  connect(before, first);
  open_ = std::move(other.open_);
}

void Draft::problem(const std::string& stage, std::string message) {
  problems_.push_back({stage, std::move(message)});
}

expected<Plan, std::vector<PlanError>> Draft::finish(PipelineOptions options) const {
  Draft ready = *this;
  ready.connect(ready.open_, output_node);
  Plan plan{std::move(options), std::move(ready.nodes_)};
  auto problems = check(plan);
  problems.insert(problems.begin(), problems_.begin(), problems_.end());
  if (!problems.empty()) return unexpected<std::vector<PlanError>>(std::move(problems));
  return plan;
}

std::string to_text(const std::string& pipeline, const std::vector<PlanError>& problems) {
  std::string text = "pipeline '" + pipeline + "' cannot be built:";
  for (const PlanError& problem : problems) {
    text += "\n  ";
    if (!problem.stage.empty()) text += "stage '" + problem.stage + "': ";
    text += problem.message;
  }
  return text;
}

}  // namespace espalier::pipeline::detail
