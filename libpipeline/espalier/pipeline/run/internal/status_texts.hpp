#pragma once

#include "espalier/pipeline/core/counts.hpp"
#include "espalier/pipeline/core/plan.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace espalier::pipeline::internal {

/// What the workers said they are doing (`set_task_status`). Thread-safe.
class StatusTexts {
 public:
  void set(NodeId node, std::uint32_t worker, std::string text) {
    const std::lock_guard lock(mutex_);
    texts_[{node, worker}] = std::move(text);
  }
  void clear(NodeId node, std::uint32_t worker) {
    const std::lock_guard lock(mutex_);
    texts_.erase({node, worker});
  }
  void add_to(PipelineSnapshot& snapshot, const Plan& plan) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [place, text] : texts_) {
      const auto name = plan.nodes[place.first].name + "-W" + std::to_string(place.second);
      const auto found =
          std::find_if(snapshot.workers.begin(), snapshot.workers.end(),
                       [&name](const WorkerState& worker) { return worker.name == name; });
      if (found != snapshot.workers.end()) found->status = text;
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<NodeId, std::uint32_t>, std::string> texts_;
};

}  // namespace espalier::pipeline::internal
