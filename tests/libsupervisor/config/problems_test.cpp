#include "libsupervisor/config/support/load.hpp"

#include <vector>

namespace espalier::supervisor {
namespace {

// testdata/problems.txt: "== name", the file, "----", what the loader says of it.
struct Case {
  std::string name = {};
  std::string text = {};
  std::string faults = {};
};

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  std::istringstream input(read_file(TEST_DATA "/problems.txt"));
  std::string line;
  bool said = false;
  while (std::getline(input, line)) {
    if (line.rfind("== ", 0) == 0) {
      cases.push_back({line.substr(3)});
      said = false;
    } else if (line == "----") {
      said = true;
    } else if (!cases.empty() && !line.empty()) {
      (said ? cases.back().faults : cases.back().text) += line + "\n";
    }
  }
  return cases;
}

TEST(Problems, are_told_with_place_and_remedy) {
  const auto cases = read_cases();
  ASSERT_GT(cases.size(), 30U);
  for (const auto& each : cases) {
    ASSERT_NE(each.faults, "") << each.name;
    EXPECT_EQ(faults(each.text), each.faults) << each.name;
  }
}

}  // namespace
}  // namespace espalier::supervisor
