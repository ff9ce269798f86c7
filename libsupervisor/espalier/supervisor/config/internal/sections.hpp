#pragma once

#include "espalier/supervisor/config/internal/fields.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// The settings outside `children`, with their defaults or as loaded.
struct Sections {
  SupervisorSpec supervisor = {};
  Overrides overrides = {};
  ChildPolicy policy = {};
  ShutdownSpec shutdown = {};
  StopPolicy grace = {};
  ObservabilitySpec observability = {};
  BackpressureSpec backpressure = {};
  DashboardSpec dashboard = {};

  using Walk = std::function<void(const std::string& section, const FieldVisitor::Body& body)>;
  /// Hands out the sections in the order of a file.
  void walk(const Walk& each) {
    each("supervisor", [this](FieldVisitor& v) { describe_supervisor(v, supervisor, &overrides); });
    each("shutdown", [this](FieldVisitor& v) { describe_shutdown(v, shutdown, &grace); });
    each("policy", [this](FieldVisitor& v) { describe_policy(v, policy); });
    each("observability", [this](FieldVisitor& v) { describe_observability(v, observability); });
    each("backpressure", [this](FieldVisitor& v) { describe_backpressure(v, backpressure); });
    each("dashboard", [this](FieldVisitor& v) { describe_dashboard(v, dashboard); });
  }
};

/// "policy.backoff.max" and so on: what an environment variable may set.
[[nodiscard]] inline std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  Sections sections;
  sections.walk([&](const std::string& section, const FieldVisitor::Body& body) {
    FieldNames fields(section + ".");
    body(fields);
    names.insert(names.end(), fields.names().begin(), fields.names().end());
  });
  return names;
}

}  // namespace espalier::supervisor::internal
