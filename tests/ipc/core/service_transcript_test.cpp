// Every file of testdata is a conversation; support/transcript.hpp says how it is written. With
// ESPALIER_REWRITE=1 in the environment the answers in the files are replaced by the real ones.
#include "ipc/support/transcript.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace espalier::ipc {
namespace {

class ServiceTranscript : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ServiceTranscript, IsWhatHappens) {
  std::ifstream file{GetParam()};
  ASSERT_TRUE(file) << GetParam();
  const std::string expected{std::istreambuf_iterator<char>{file}, {}};
  std::string actual;
  ASSERT_NO_THROW(actual = testing_support::Transcript{}.play(expected));
  if (std::getenv("ESPALIER_REWRITE")) {
    std::ofstream{GetParam()} << actual;
    return;
  }
  EXPECT_EQ(actual, expected);
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> all;
  const std::filesystem::path folder{ESPALIER_SOURCE_DIR "/tests/ipc/testdata"};
  for (const auto& file : std::filesystem::directory_iterator{folder})
    if (file.path().extension() == ".txt") all.push_back(file.path());
  std::ranges::sort(all);
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, ServiceTranscript, testing::ValuesIn(files()),
                         [](const auto& x) { return x.param.stem().string(); });

}  // namespace
}  // namespace espalier::ipc
