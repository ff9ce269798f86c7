#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace espalier::simulation {

using namespace supervisor;

/// Makes trees of all shapes: strategies, nested supervisors, pools, budgets, limits and orders. At
/// most 50 nodes; most have fewer than 12, so that many seeds fit into little time.
class RandomTree {
 public:
  explicit RandomTree(std::uint64_t seed) : random_(seed) {}

  SupervisorSpec write();
  /// The same tree after somebody has worked on its file.
  SupervisorSpec edited(SupervisorSpec spec);
  /// A child that may be added below any supervisor.
  ChildSpec leaf(const std::string& name);

 private:
  std::size_t roll(std::size_t n) { return random_() % n; }
  template <class T>
  T any(std::initializer_list<T> choice) {
    return choice.begin()[roll(choice.size())];
  }
  Duration some(int least, int most) {
    return std::chrono::milliseconds{
        least + static_cast<int>(roll(static_cast<std::size_t>(most - least) + 1))};
  }

  SupervisorSpec supervisor(int depth);
  ChildSpec child(const SupervisorSpec& above, int depth);
  ChildSpec pool(const std::string& name);
  ChildPolicy policy();

  std::mt19937_64 random_;
  std::size_t left_ = 0;  ///< Nodes that may still be made.
};

/// Paths of all that is below the root, in order; instances of pools as far as `size` goes.
struct TreePaths {
  std::vector<std::string> leaves = {};
  std::vector<std::string> supervisors = {};  ///< With the root.
  std::vector<std::string> pools = {};
};
[[nodiscard]] TreePaths paths_of(const SupervisorSpec& spec);

}  // namespace espalier::simulation
