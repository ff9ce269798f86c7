#pragma once

#include "espalier/pipeline/core/plan.hpp"
#include "espalier/pipeline/track/events.hpp"

#include <string>
#include <vector>

namespace espalier::pipeline {

/// Turns the numbers of a run into what people read: stages, tasks, workers, the time of day.
class Naming {
 public:
  Naming() = default;
  /// `at` and `wall` are the same moment.
  Naming(const Plan& plan, TimePoint at, WallTime wall);

  /// Empty for output_node.
  [[nodiscard]] std::string stage(NodeId node) const;
  [[nodiscard]] std::string task(NodeId node, std::uint16_t task) const;
  /// Empty for no_worker.
  [[nodiscard]] std::string worker(NodeId node, std::uint32_t worker) const;
  [[nodiscard]] WallTime wall(TimePoint at) const;
  [[nodiscard]] TaskEvent task_event(const TrackEvent& event) const;

 private:
  struct Stage {
    std::string name = {};
    std::vector<std::string> tasks = {};
  };
  std::vector<Stage> stages_;
  TimePoint at_ = {};
  WallTime wall_ = {};
};

}  // namespace espalier::pipeline
