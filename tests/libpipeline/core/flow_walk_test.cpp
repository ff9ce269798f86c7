#include "libpipeline/core/support/walk.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace espalier::pipeline::testing {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::stoull(text) : otherwise;
}

// ESPALIER_WALK_SEEDS: how many; ESPALIER_WALK_FIRST: from which on.
TEST(FlowWalk, KeepsItsPromisesWhateverHappens) {
  const auto first = number("ESPALIER_WALK_FIRST", 1);
  const auto count = number("ESPALIER_WALK_SEEDS", 400);
  for (auto seed = first; seed < first + count; ++seed) {
    Walk walk(seed);
    walk.run();
    if (HasFailure()) FAIL() << "seed " << seed << "\n" << walk.text();
  }
}

}  // namespace
}  // namespace espalier::pipeline::testing
