#include "libsupervisor/observe/journal_folder_fixture.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <ctime>

namespace espalier::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// Files of this process may not grow beyond a size: to a writer the same as a full disk.
class JournalFullDiskTest : public JournalFolderTest {
 protected:
  JournalFullDiskTest() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_IGN);
  }
  ~JournalFullDiskTest() override { make_room(); }

  void fill(rlim_t bytes) const {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  void make_room() const { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

TEST_F(JournalFullDiskTest, SaysOnceWhatIsWrongAndNamesWhatIsMissing) {
  const auto file = start();
  ASSERT_TRUE(write(*file, 1, 5));
  fill(0);
  const bool written = write(*file, 6, 6);
  const bool still = write(*file, 7, 10);
  make_room();
  EXPECT_FALSE(written);
  EXPECT_FALSE(still);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("File too large; the tree goes on")));

  file->publish(numbered(11));
  static_cast<void>(file->flush());
  ASSERT_THAT(said(), SizeIs(2));
  EXPECT_THAT(said()[1], HasSubstr("is written again; 1 event is missing"));
  const auto items = read();
  ASSERT_THAT(items, SizeIs(11));
  const auto gap = nlohmann::json::parse(items[5].text);
  EXPECT_EQ(gap["type"], "subscriber_lagged");
  EXPECT_EQ(gap["from"], 6);
  EXPECT_EQ(gap["to"], 6);
  EXPECT_EQ(gap["dropped"], 1);
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(items[i].position, i + 1) << "what was lost leaves no hole";
    EXPECT_EQ(sequence_of(items[i]), i + 1) << "7 to 10 had waited";
  }
}

// Not a full disk, but files that may not grow: then another file may.
TEST_F(JournalFullDiskTest, GoesOnInAnotherFileWhereOneMayNotGrow) {
  auto file = start();
  fill(6000);
  for (std::uint64_t i = 1; i <= 200; ++i)
    static_cast<void>(write(*file, i, i));
  file.reset();
  make_room();
  EXPECT_GT(files().size(), 4U);
  std::uint64_t seen = 0;
  for (const auto& item : read()) {
    ASSERT_EQ(item.kind, JournalItem::Kind::event) << item.text;
    EXPECT_EQ(sequence_of(item), ++seen) << "each event, or the line that names it as missing";
  }
  EXPECT_EQ(seen, 200U);
}

TEST_F(JournalFullDiskTest, ComesBackByItselfWithinSeconds) {
  const auto file = start();
  ASSERT_TRUE(write(*file, 1, 1));
  fill(0);
  static_cast<void>(write(*file, 2, 2));
  file->publish(numbered(3));
  const auto busy = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds{1500});
  EXPECT_LT(std::clock() - busy, CLOCKS_PER_SEC / 20) << "it waits between two tries";
  make_room();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (said().size() < 2 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  ASSERT_THAT(said(), SizeIs(2)) << "no event came, and nobody asked";
  EXPECT_EQ(read().size(), 3U) << "two events, and a line for the one that is missing";
}

// At every byte: half a line is cut off, what was before it stays, and the rest comes after it.
TEST_F(JournalFullDiskTest, FindsItsWayBackFromHalfALine) {
  for (rlim_t room = 1; room < 600; room += 13) {
    spec_.folder = root_ + "/" + std::to_string(room);
    auto file = start();
    fill(room);
    for (std::uint64_t i = 1; i <= 3; ++i)
      file->publish(numbered(i));
    static_cast<void>(file->flush());
    make_room();
    file.reset();
    std::uint64_t told = 0;
    std::uint64_t there = 0;
    for (const auto& item : read()) {
      ASSERT_EQ(item.kind, JournalItem::Kind::event) << room << ": " << item.text;
      const auto json = nlohmann::json::parse(item.text);
      const bool lagged = json["type"] == "subscriber_lagged";
      (lagged ? told : there) += lagged ? json["dropped"].get<std::uint64_t>() : 1;
    }
    EXPECT_EQ(told + there, 3U) << room;
  }
}

TEST_F(JournalFullDiskTest, WhatIsQueuedWhenItCannotBeWrittenAtTheEndIsCounted) {
  auto file = start();
  ASSERT_TRUE(write(*file, 1, 1));
  fill(0);
  static_cast<void>(write(*file, 2, 2));
  file->publish(numbered(3));
  file.reset();
  make_room();
  ASSERT_THAT(said(), SizeIs(2));
  EXPECT_THAT(said()[1], HasSubstr("is not complete; 2 events are missing"));
}

}  // namespace
}  // namespace espalier::supervisor
