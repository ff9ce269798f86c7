// Every file of testdata is a conversation with an engine: lines of input, "----", the lines that
// must come out, a blank line. In an expected line `*` stands for any text.
#include "libsupervisor/core/support/script_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace espalier::supervisor {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  for (std::size_t skip = 0; skip <= text.size(); ++skip)
    if (matches(pattern, text.substr(skip))) return true;
  return false;
}

// Lines that match their pattern become it, so that a failure shows only what really differs.
std::string in_terms_of(const std::string& expected, const std::string& actual) {
  std::istringstream patterns{expected}, lines{actual};
  std::string result, pattern, line;
  while (std::getline(lines, line)) {
    if (!std::getline(patterns, pattern)) pattern.clear();
    result += (matches(pattern, line) ? pattern : line) + "\n";
  }
  return result;
}

class EngineScript : public testing::TestWithParam<std::filesystem::path> {
 protected:
  void compare(int line) {
    EXPECT_EQ(in_terms_of(expected_, actual_), expected_)
        << GetParam().filename().string() << ", block that ends at line " << line;
    if (run_.promises()) {
      EXPECT_THAT(run_.promises()->broken(), testing::IsEmpty()) << "before line " << line;
    }
    expected_.clear();
    actual_.clear();
  }

  testing_support::ScriptRunner run_;
  std::string expected_, actual_;
};

TEST_P(EngineScript, GivesTheExpectedEffects) {
  std::ifstream file{GetParam()};
  ASSERT_TRUE(file) << GetParam();
  bool in_answer = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.starts_with('#')) continue;
    if (line == "----") {
      in_answer = true;
    } else if (line.empty()) {
      compare(number);
      in_answer = false;
    } else if (in_answer) {
      expected_ += line + "\n";
    } else {
      ASSERT_NO_THROW(actual_ += run_.run(line)) << "line " << number;
    }
  }
  compare(number);
}

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> all;
  for (const auto& file : std::filesystem::directory_iterator{TEST_DATA})
    if (file.path().extension() == ".txt") all.push_back(file.path());
  std::ranges::sort(all);
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, EngineScript, testing::ValuesIn(scripts()),
                         [](const auto& x) { return x.param.stem().string(); });

}  // namespace
}  // namespace espalier::supervisor
