#pragma once

#include "espalier/rehearsal/rehearse.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace espalier::rehearsal::test {

using namespace std::chrono_literals;
namespace sv = supervisor;

inline sv::ChildSpec child(std::string name, std::vector<std::string> dependencies = {}) {
  sv::ChildSpec spec;
  spec.name = std::move(name);
  spec.kind = sv::ChildKind::process;
  spec.dependencies = std::move(dependencies);
  spec.policy.backoff = {};
  spec.policy.backoff.initial = 1s;
  spec.policy.backoff.max = 8s;
  spec.policy.backoff.jitter = sv::Jitter::none;
  return spec;
}

inline sv::SupervisorSpec tree(std::vector<sv::ChildSpec> children,
                               sv::Strategy strategy = sv::Strategy::one_for_one) {
  sv::SupervisorSpec spec;
  spec.name = "test";
  spec.strategy = strategy;
  spec.children = std::move(children);
  return spec;
}

inline const ChildRecord& record(const Report& report, const std::string& path) {
  static const ChildRecord none{};
  const auto found = std::find_if(report.children.begin(), report.children.end(),
                                  [&](const auto& one) { return one.path == path; });
  return found == report.children.end() ? none : *found;
}

inline storm::Incident exit_of(const std::string& path, sv::Duration at) {
  return {.at = at, .kind = storm::Incident::Kind::exit, .path = path};
}

}  // namespace espalier::rehearsal::test
