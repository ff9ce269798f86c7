#pragma once

#include "espalier/pipeline/core/plan.hpp"

#include <cstddef>
#include <vector>

namespace espalier::pipeline {

/// What follows from the edges of a plan alone. Edges that lead nowhere are left out.
class PlanGraph {
 public:
  explicit PlanGraph(const Plan& plan);

  [[nodiscard]] bool has_cycle() const { return has_cycle_; }
  /// From the end to the beginning: what follows a node comes before it.
  [[nodiscard]] const std::vector<NodeId>& from_the_end() const { return from_the_end_; }
  /// Whether items at `from` may come to `to`, which is a node or output_node. A node reaches
  /// itself.
  [[nodiscard]] bool reaches(NodeId from, NodeId to) const {
    return reach_[from][to == output_node ? nodes_ : to];
  }
  [[nodiscard]] bool is_on_cycle(NodeId node) const { return on_cycle_[node]; }

 private:
  void visit(const Plan& plan, NodeId node, std::vector<char>& state);

  std::size_t nodes_;
  bool has_cycle_ = false;
  std::vector<NodeId> from_the_end_ = {};
  std::vector<std::vector<bool>> reach_ = {};  ///< The last column: the output.
  std::vector<bool> on_cycle_ = {};
};

}  // namespace espalier::pipeline
