#pragma once

#include "espalier/pipeline/build/attempt.hpp"
#include "espalier/pipeline/core/plan.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::pipeline::detail {

/// A Plan in the making: nodes, and ends that wait for what comes next. The first node is where
/// items come in.
class Draft {
 public:
  Draft();
  /// The node comes behind all open ends; its port 0 is the open end now.
  void add(NodePlan node);
  struct Branch;
  /// As add, with a branch for every port; the ends of all branches are open then, but for those
  /// of sinks.
  void add_branches(NodePlan node, std::vector<Branch> branches);
  /// The other one comes behind all open ends, its nodes called "name/...".
  void nest(const std::string& name, Draft other);
  void problem(const std::string& stage, std::string message);
  /// Where the stages of this draft count errors in callbacks.
  [[nodiscard]] const CallbackErrors& callback_errors() const { return errors_.front(); }
  /// The counters of all stages.
  [[nodiscard]] const std::vector<CallbackErrors>& all_callback_errors() const { return errors_; }

  /// The open ends become outputs. All problems, if there are any.
  [[nodiscard]] expected<Plan, std::vector<PlanError>> finish(PipelineOptions options) const;

 private:
  struct End {
    NodeId node = 0;
    std::uint16_t port = 0;
  };
  void connect(const std::vector<End>& ends, NodeId to);
  /// Takes over the other's nodes; returns the number of the first.
  NodeId take(Draft&& other, const std::string& prefix);

  std::vector<NodePlan> nodes_ = {};
  std::vector<End> open_ = {};
  std::vector<PlanError> problems_ = {};
  std::vector<CallbackErrors> errors_ = {};
};

struct Draft::Branch {
  Draft draft = {};
  bool ends_in_sink = false;
};

/// "; "-free text of all problems, one a line, for an exception.
[[nodiscard]] std::string to_text(const std::string& pipeline,
                                  const std::vector<PlanError>& problems);

}  // namespace espalier::pipeline::detail
