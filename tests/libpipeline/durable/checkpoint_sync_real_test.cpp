#include "libpipeline/durable/store_fixture.hpp"

#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace {

std::atomic<int> syncs = 0;

}  // namespace

// In the place of those of the C library, for the whole of this program and for SQLite.
extern "C" int fdatasync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace espalier::pipeline {
namespace {

class CheckpointSyncTest : public StoreTest {
 protected:
  ~CheckpointSyncTest() override { sqlite3_close(reader_); }

  /// Whether another program sees the item.
  bool is_committed(const std::string& key) {
    if (reader_ == nullptr)
      sqlite3_open_v2(path().c_str(), &reader_, SQLITE_OPEN_READONLY, nullptr);
    sqlite3_stmt* rows = nullptr;
    sqlite3_prepare_v2(reader_, "SELECT 1 FROM items WHERE key = ?1", -1, &rows, nullptr);
    sqlite3_bind_text(rows, 1, key.c_str(), -1, nullptr);
    const bool found = sqlite3_step(rows) == SQLITE_ROW;
    sqlite3_finalize(rows);
    return found;
  }

 private:
  sqlite3* reader_ = nullptr;
};

TEST_F(CheckpointSyncTest, WhatIsAcceptedIsOnTheDisk) {
  const auto store = open();
  for (ItemSeq i = 0; i < 10; ++i) {
    const auto before = syncs.load();
    store->accepted(0, items({{"k" + std::to_string(i), "1"}}), i);
    ASSERT_GT(syncs, before) << "item " << i << " was accepted, and not yet synced";
  }
  const auto before = syncs.load();
  store->ended(at(3, ""), Outcome::succeeded);
  ASSERT_TRUE(store->flush());
  EXPECT_GT(syncs, before);
}

// A commit that was under way when an item came does not hold it.
TEST_F(CheckpointSyncTest, AnItemIsInTheFileAlsoWhereAnotherCommitWasUnderWay) {
  const auto store = open();
  store->accepted(0, items({{"busy", "1"}}), 0);
  std::atomic<bool> enough = false;
  std::thread busy([&] {
    while (!enough) {
      store->moved(1, at(0, "on its way"));
      static_cast<void>(store->flush());
    }
  });
  int missing = 0;
  for (ItemSeq i = 1; i <= 200; ++i) {
    const auto key = "k" + std::to_string(i);
    store->accepted(0, items({{key, "1"}}), i);
    missing += is_committed(key) ? 0 : 1;
  }
  enough = true;
  busy.join();
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace espalier::pipeline
