#include "libsupervisor/observe/journal_folder_fixture.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

namespace {

std::atomic<int> file_syncs = 0;
std::atomic<int> folder_syncs = 0;
std::atomic<bool> sync_fails = false;
std::mutex sizes_mutex;
std::map<ino_t, off_t> synced_sizes;

}  // namespace

// In the place of those of the C library, for the whole of this program.
extern "C" int fdatasync(int fd) {
  ++file_syncs;
  if (sync_fails) {
    errno = EIO;
    return -1;
  }
  struct stat info = {};
  ::fstat(fd, &info);
  const std::scoped_lock lock{sizes_mutex};
  synced_sizes[info.st_ino] = info.st_size;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  ++folder_syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace espalier::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class JournalSyncTest : public JournalFolderTest {
 protected:
  JournalSyncTest() {
    std::filesystem::create_directories(spec_.folder);
    file_syncs = folder_syncs = 0;
    const std::scoped_lock lock{sizes_mutex};
    synced_sizes.clear();  // A number of a file that is gone is used again.
  }
  ~JournalSyncTest() override { sync_fails = false; }

  static off_t unsynced_bytes(const std::string& path) {
    struct stat info = {};
    ::stat(path.c_str(), &info);
    const std::scoped_lock lock{sizes_mutex};
    return info.st_size - synced_sizes[info.st_ino];
  }
};

TEST_F(JournalSyncTest, AlwaysIsAfterEachWriteAndNewFilesAreSyncedIntoTheirFolder) {
  spec_.sync = JournalSync::always;
  spec_.segment_bytes = 4096;
  const auto file = start();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    const auto before = file_syncs.load();
    ASSERT_TRUE(write(*file, i, i));
    ASSERT_GT(file_syncs, before) << "flushed, and not yet synced";
  }
  EXPECT_EQ(folder_syncs, static_cast<int>(files().size()));
}

// A folder whose name is lost is lost with all that is in it.
TEST_F(JournalSyncTest, ANewFolderIsSyncedIntoTheOneThatHasIt) {
  spec_.folder = root_ + "/one/two/three";
  ASSERT_TRUE(write(*start(), 1, 1));
  EXPECT_EQ(folder_syncs, 4) << "three folders and a file";
}

TEST_F(JournalSyncTest, WhatTheOneBeforeHasNotSyncedIsSyncedAtTheStart) {
  spec_.sync = JournalSync::never;
  ASSERT_TRUE(write(*start(), 1, 10));
  spec_.sync = JournalSync::interval;
  ASSERT_GT(unsynced_bytes(files().front()), 0);
  const auto file = start();
  static_cast<void>(file->flush());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (unsynced_bytes(files().front()) > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  EXPECT_EQ(unsynced_bytes(files().front()), 0);
}

TEST_F(JournalSyncTest, AFlushSaysYesOnlyToWhatIsSynced) {
  spec_.sync = JournalSync::always;
  const auto file = start();
  ASSERT_TRUE(write(*file, 1, 1));
  sync_fails = true;
  EXPECT_FALSE(write(*file, 2, 2));
}

TEST_F(JournalSyncTest, AFileThatIsFullIsSyncedBeforeTheNextOneBegins) {
  spec_.segment_bytes = 4096;
  const auto file = start();
  ASSERT_TRUE(write(*file, 1, 50));
  const auto all = files();
  ASSERT_GT(all.size(), 2U);
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    EXPECT_EQ(unsynced_bytes(all[i]), 0) << all[i];
}

TEST_F(JournalSyncTest, IntervalIsWithinASecondOrTwoAndAtTheEnd) {
  auto file = start();
  ASSERT_TRUE(write(*file, 1, 10));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (file_syncs == 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  EXPECT_EQ(file_syncs, 1);
  ASSERT_TRUE(write(*file, 11, 11));
  file.reset();
  EXPECT_EQ(file_syncs, 2);
}

TEST_F(JournalSyncTest, NeverIsNever) {
  spec_.sync = JournalSync::never;
  spec_.segment_bytes = 4096;
  ASSERT_TRUE(write(*start(), 1, 100));
  EXPECT_EQ(file_syncs, 0);
  EXPECT_EQ(folder_syncs, 0);
}

TEST_F(JournalSyncTest, AFileWhoseSyncFailedIsNotTrustedWithMore) {
  spec_.sync = JournalSync::always;
  const auto file = start();
  ASSERT_TRUE(write(*file, 1, 2));
  sync_fails = true;
  static_cast<void>(write(*file, 3, 3));
  sync_fails = false;
  EXPECT_THAT(said(), ElementsAre(HasSubstr("cannot sync 000000000001.ndjson")));
  const auto first = content(files().front());
  EXPECT_FALSE(write(*file, 4, 5)) << "3 may be lost still";
  EXPECT_EQ(content(files().front()), first);
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(sequences(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace espalier::supervisor
