#pragma once

#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/phase_counts.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Which part of a tree to look at.
struct StateQuery {
  std::string path = "/";
  std::optional<std::uint32_t> depth = {};  ///< 0: that node alone; absent: all below it.
};

/// What only supervisors and pools have.
struct SupervisorView {
  Strategy strategy = Strategy::one_for_one;
  PhaseCounts children = {};  ///< Its own, not those further down.
  bool ended = false;         ///< What is shown below it is its last state.
};

/// One node as its supervisor last saw it.
struct NodeState {
  std::string path = {};
  ChildKind kind = ChildKind::supervisor;
  ChildView view = {};
  std::shared_ptr<const ChildSpec> spec = {};             ///< Null for the root.
  std::shared_ptr<const SupervisorView> supervisor = {};  ///< Null for what has no children.

  [[nodiscard]] const std::string& group() const;
  [[nodiscard]] const std::vector<std::string>& tags() const;
  [[nodiscard]] SeverityClass severity() const;
  [[nodiscard]] std::optional<WorkRole> role() const;
};

/// What is true of a tree, or of a part of it. Each supervisor's children are of one moment or
/// later ones; two supervisors may be of different moments.
struct TreeState {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  ///< Of the last event when the copy began.
  std::string config_version = {};
  std::chrono::system_clock::time_point taken_at = {};
  std::vector<NodeState> nodes = {};  ///< A node, then all below it; siblings as declared.
  PhaseCounts counts = {};            ///< Of the whole tree, whatever was asked for.
};

}  // namespace espalier::supervisor
