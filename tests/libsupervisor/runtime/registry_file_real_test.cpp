#include "espalier/supervisor/runtime/registry_file.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace {

/// Of this test alone: other threads of the program may sync as well.
thread_local std::function<void(const std::string& path)> on_sync;

}  // namespace

// In the place of that of the C library, for the whole of this program.
extern "C" int fsync(int fd) {
  if (on_sync) on_sync(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)));
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace espalier::supervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegistryFile : public ::testing::Test {
 protected:
  RegistryFile() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ + "/children.yaml";
  }
  ~RegistryFile() override {
    on_sync = nullptr;
    std::filesystem::remove_all(folder_);
  }

  static std::string content(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream{path, std::ios::binary} << text;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(RegistryFile, IsTheOldOneUntilTheNewOneIsWholeAndOnTheDisk) {
  ASSERT_EQ(replace_file(path_, "old"), std::nullopt);
  std::vector<std::string> seen;
  on_sync = [&](const std::string& what) {
    seen.push_back((what == folder_ ? "folder" : content(what)) + ", there is " + content(path_));
  };
  ASSERT_EQ(replace_file(path_, "new"), std::nullopt);
  EXPECT_THAT(seen, ElementsAre("new, there is old", "folder, there is new"));
}

// A limit of this process stands for the full disk, also in the middle of the text.
TEST_F(RegistryFile, StaysTheOldOneWhereTheDiskIsFull) {
  ASSERT_EQ(replace_file(path_, "old"), std::nullopt);
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t room : {0U, 3000U}) {
    const rlimit small{room, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto problem = replace_file(path_, std::string(10000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_TRUE(problem) << room;
    EXPECT_THAT(*problem, HasSubstr("writing " + path_ + ".new failed: File too large"));
    EXPECT_EQ(content(path_), "old") << room;
  }
  ::signal(SIGXFSZ, SIG_DFL);
}

TEST_F(RegistryFile, WhatAnEarlierEndHasLeftIsNotMixedIn) {
  write(path_ + ".new", "a longer text that somebody did not get to rename");
  ASSERT_EQ(replace_file(path_, "new"), std::nullopt);
  EXPECT_EQ(content(path_), "new");
}

TEST_F(RegistryFile, FollowsNoLinkAndIsNobodyElses) {
  const auto victim = folder_ + "/victim";
  write(victim, "mine");
  std::filesystem::create_symlink(victim, path_ + ".new");
  EXPECT_TRUE(replace_file(path_, "new"));
  EXPECT_EQ(content(victim), "mine");
  std::filesystem::remove(path_ + ".new");
  ASSERT_EQ(replace_file(path_, "new"), std::nullopt);
  struct stat info = {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(RegistryFile, IsReadOnlyWhereItIsAFileOfASensibleSize) {
  constexpr std::size_t largest = 1U << 20U;
  EXPECT_EQ(read_whole(path_, largest).value(), "") << "none yet";
  write(path_, std::string(largest, 'x'));
  EXPECT_EQ(read_whole(path_, largest).value().size(), largest);
  write(path_, std::string(largest + 1, 'x'));
  EXPECT_THAT(read_whole(path_, largest).error(), HasSubstr("is larger than 1 MiB"));
  EXPECT_THAT(read_whole(folder_, largest).error(), HasSubstr("is no regular file"));
}

TEST_F(RegistryFile, EveryDamagedOneIsKept) {
  for (const auto* text : {"first", "second"}) {
    write(path_, text);
    ASSERT_TRUE(put_aside(path_));
  }
  EXPECT_EQ(content(path_ + ".bad"), "first");
  EXPECT_EQ(content(path_ + ".bad.2"), "second");
}

}  // namespace
}  // namespace espalier::supervisor
