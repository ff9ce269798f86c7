#pragma once

#include "espalier/metrics/http_listener.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace espalier::metrics {

/// The pages by which a load balancer or an orchestrator sees how a tree fares: 200 or 503, and one
/// sentence for people.
///
/// Thread rule: one thread at a time. Cost: `alive` a round trip through the root supervisor;
/// `ready` reads what was published.
class HealthPages {
 public:
  /// Something else that keeps the program from being ready, as a sentence; empty: nothing.
  using Obstacle = std::function<std::string()>;
  HealthPages(supervisor::SupervisorHandle handle, std::vector<Obstacle> obstacles)
      : handle_(std::move(handle)), obstacles_(std::move(obstacles)) {}

  /// /healthz: the root supervisor answers within a second. After one that did not, the next second
  /// is not asked again: whoever comes then need not wait for it too.
  [[nodiscard]] Page alive();
  /// /readyz: the tree is up and neither it nor anything else says otherwise.
  [[nodiscard]] Page ready() const;

 private:
  supervisor::SupervisorHandle handle_;
  std::vector<Obstacle> obstacles_;
  std::optional<supervisor::TimePoint> silent_since_ = {};
};

}  // namespace espalier::metrics
