#include "espalier/supervisor/os/read_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace espalier::supervisor {
namespace {

class ReadFileTest : public ::testing::Test {
 protected:
  ReadFileTest() : path_(::testing::TempDir() + "read_file_test." + std::to_string(::getpid())) {}
  ~ReadFileTest() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream{path_, std::ios::binary} << text; }
  std::string path_;
};

TEST_F(ReadFileTest, GivesTheWholeWithItsZeroBytes) {
  const std::string text("a\0b\n", 4);
  write(text);
  EXPECT_EQ(read_file(path_, 100).value(), text);
}

TEST_F(ReadFileTest, OneByteMoreThanTheLargestSaysThatThereWasMore) {
  write(std::string(200'000, 'x'));
  EXPECT_EQ(read_file(path_, 200'000).value().size(), 200'000U);
  EXPECT_EQ(read_file(path_, 199'999).value().size(), 200'000U);
  EXPECT_EQ(read_file(path_, 10).value().size(), 11U);
}

TEST_F(ReadFileTest, AMissingFileAndAFolderAreErrorsByNumber) {
  EXPECT_EQ(read_file(path_, 10).error(), ENOENT);
  EXPECT_EQ(read_file(::testing::TempDir(), 10).error(), EISDIR);
}

// A stream's buffer throws here; the program ended with it when a process was reaped while its
// entry below /proc was being read.
TEST_F(ReadFileTest, AFileThatFailsInTheMiddleIsAnErrorAndNoException) {
  EXPECT_EQ(read_file("/proc/self/mem", 10).error(), EIO);
}

}  // namespace
}  // namespace espalier::supervisor
