#include "espalier/pipeline/track/naming.hpp"

namespace espalier::pipeline {

Naming::Naming(const Plan& plan, TimePoint at, WallTime wall) : at_(at), wall_(wall) {
  for (const NodePlan& node : plan.nodes) {
    Stage stage{node.name, {}};
    if (node.kernel) {
      const auto tasks = node.kernel->tasks();
      stage.tasks.assign(tasks.begin(), tasks.end());
    }
    stages_.push_back(std::move(stage));
  }
}

std::string Naming::stage(NodeId node) const {
  if (node == output_node) return {};
  return node < stages_.size() ? stages_[node].name : "#" + std::to_string(node);
}

std::string Naming::task(NodeId node, std::uint16_t task) const {
  if (node < stages_.size() && task < stages_[node].tasks.size()) return stages_[node].tasks[task];
  return "#" + std::to_string(task);
}

std::string Naming::worker(NodeId node, std::uint32_t worker) const {
  if (worker == TrackEvent::no_worker) return {};
  return stage(node) + "-W" + std::to_string(worker);
}

WallTime Naming::wall(TimePoint at) const {
  return wall_ + std::chrono::duration_cast<WallTime::duration>(at - at_);
}

TaskEvent Naming::task_event(const TrackEvent& event) const {
  TaskEvent out;
  out.seq = event.seq;
  if (event.info) {
    out.item = event.info->id;
    out.metadata = event.info->metadata;
  }
  if (out.item.empty()) out.item = std::to_string(event.seq);
  out.stage = stage(event.node);
  out.task = task(event.node, event.task);
  out.worker = worker(event.node, event.worker);
  if (event.worker != TrackEvent::no_worker) out.worker_number = event.worker;
  out.moment = static_cast<TaskMoment>(event.moment);
  out.attempt = event.attempt;
  out.at = event.at;
  out.wall = wall(event.at);
  if (out.moment != TaskMoment::start) out.duration = event.took;
  if (event.error) {
    out.error = event.error->first;
    out.error_type = event.error->second;
  }
  return out;
}

}  // namespace espalier::pipeline
