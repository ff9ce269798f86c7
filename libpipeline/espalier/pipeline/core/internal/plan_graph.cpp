#include "espalier/pipeline/core/internal/plan_graph.hpp"

namespace espalier::pipeline {

namespace {
constexpr char unseen = 0;
constexpr char open = 1;
constexpr char done = 2;
}  // namespace

PlanGraph::PlanGraph(const Plan& plan)
    : nodes_(plan.nodes.size()), reach_(nodes_, std::vector<bool>(nodes_ + 1)), on_cycle_(nodes_) {
  std::vector<char> state(nodes_, unseen);
  for (NodeId node = 0; node < nodes_; ++node)
    visit(plan, node, state);
  // Passes until nothing is added: one is enough without a cycle.
  for (bool added = true; added;) {
    added = false;
    for (const auto node : from_the_end_) {
      for (const auto next : plan.nodes[node].next) {
        if (next != output_node && next >= nodes_) continue;
        for (std::size_t to = 0; to <= nodes_; ++to) {
          const auto direct = next == output_node ? to == nodes_ : to == next;
          if (!direct && (next == output_node || !reach_[next][to])) continue;
          added = added || !reach_[node][to];
          reach_[node][to] = true;
        }
      }
    }
  }
  for (std::size_t node = 0; node < nodes_; ++node) {
    on_cycle_[node] = reach_[node][node];
    has_cycle_ = has_cycle_ || on_cycle_[node];
    reach_[node][node] = true;
  }
}

void PlanGraph::visit(const Plan& plan, NodeId node, std::vector<char>& state) {
  if (state[node] != unseen) return;
  state[node] = open;
  for (const auto next : plan.nodes[node].next) {
    if (next < nodes_) visit(plan, next, state);
  }
  state[node] = done;
  from_the_end_.push_back(node);
}

}  // namespace espalier::pipeline
