#pragma once

#include "espalier/supervisor/actor/actor_factory.hpp"
#include "espalier/supervisor/observe/journal_ring.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <caf/all.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier::benchmarks {

using namespace espalier::supervisor;
using Clock = std::chrono::steady_clock;

inline const CommandMeta who{"benchmark", "measured"};

inline double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

inline double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// The sample below which the fraction `q` of all lies; `samples` must not be empty.
inline double quantile(std::vector<double> samples, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), samples.begin() + at, samples.end());
  return samples[static_cast<std::size_t>(at)];
}

inline ChildSpec actor_child(const std::string& name) {
  ChildSpec child;
  child.name = name;
  child.kind = ChildKind::actor;
  child.factory = "idle";
  return child;
}

inline SupervisorSpec flat_tree(std::size_t children) {
  SupervisorSpec spec;
  spec.restart_limit.reset();
  for (std::size_t i = 0; i < children; ++i) {
    spec.children.push_back(actor_child("c" + std::to_string(i)));
  }
  return spec;
}

inline ChildFactories idle_factories() {
  ChildFactories factories;
  add_actor(factories, "idle", [](caf::event_based_actor*, std::shared_ptr<ChildContext>) {
    return caf::behavior{[](int) {}};
  });
  return factories;
}

inline SupervisorOptions with_ring() {
  SupervisorOptions options;
  options.events = {std::make_shared<JournalRing>(4096)};
  return options;
}

/// What operators do to a running tree; operations.cpp.
void measure_operations();
/// Many crashes at once; storms.cpp.
void measure_storms();

}  // namespace espalier::benchmarks
