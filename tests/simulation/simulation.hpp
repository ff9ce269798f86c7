#pragma once

#include "simulation/fault.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::simulation {

/// What a seed stands for.
struct Scenario {
  std::uint64_t seed = 0;
  SupervisorSpec tree = {};
  std::vector<Fault> faults = {};
};
[[nodiscard]] Scenario scenario_of(std::uint64_t seed);

struct Outcome {
  std::vector<std::string> broken = {};  ///< Promises; empty: all were kept.
  std::string history = {};              ///< All that happened, a line each.
  std::uint64_t steps = 0;               ///< Messages that an actor worked on.
  std::uint64_t events = 0;
  std::uint64_t restarts = 0;
  std::uint64_t lives = 0;
  Duration time = Duration::zero();  ///< Virtual.
};

/// Plays a scenario from the start of its tree to its end, on one thread and in no real time. The
/// same scenario gives the same history, byte for byte.
[[nodiscard]] Outcome play(const Scenario& scenario);

/// The scenario without the faults that it does not need to break a promise.
[[nodiscard]] Scenario reduced(Scenario scenario);

}  // namespace espalier::simulation
