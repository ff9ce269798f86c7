// Random walks: whatever happens in whatever order to whatever supervisor, the promises of
// support/engine_promises.hpp hold. A walk that fails prints the shortest script that fails too.
#include "libsupervisor/core/support/random_script.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace espalier::supervisor {
namespace {

using testing_support::faults_of;
using testing_support::RandomScript;
using testing_support::Script;
using testing_support::ScriptRunner;
using testing_support::shrunk;

std::string joined(const Script& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line + "\n";
  return text;
}

// ESPALIER_WALKS=N walks N more seeds than every build does.
unsigned more_walks() {
  const char* text = std::getenv("ESPALIER_WALKS");
  return text ? static_cast<unsigned>(std::stoul(text)) : 0;
}

class EngineWalk : public testing::TestWithParam<unsigned> {};

TEST_P(EngineWalk, KeepsItsPromises) {
  const unsigned block = 20;
  for (unsigned seed = GetParam() * block; seed < (GetParam() + 1) * block; ++seed) {
    RandomScript random{seed};
    const auto script = random.write(150);
    if (faults_of(script).empty()) continue;
    const auto reduced = shrunk(script, random.head());
    FAIL() << "seed " << seed << "\n"
           << joined(reduced) << "breaks:\n"
           << joined(faults_of(reduced));
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, EngineWalk, testing::Range(0u, 30u + more_walks() / 20));

TEST(EngineWalkReplay, GivesTheSameEffectsForTheSameInputsAndSeed) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    auto script = RandomScript{seed}.write(150);
    script.insert(script.begin() + 1, "show events");
    const auto told = [&] {
      ScriptRunner runner;
      std::string text;
      for (const auto& line : script)
        text += runner.run(line);
      return text;
    };
    EXPECT_EQ(told(), told()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace espalier::supervisor
