#include "libsupervisor/observe/journal_folder_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace espalier::supervisor {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class JournalReaderTest : public JournalFolderTest {
 protected:
  JournalReaderTest() { spec_.segment_bytes = 4096; }
};

TEST_F(JournalReaderTest, SaysWhyThereIsNothingToRead) {
  EXPECT_THAT(JournalReader::open(root_ + "/none").error(),
              HasSubstr("No such file or directory; name the folder that "
                        "observability.journal.path names"));
  EXPECT_THAT(JournalReader::open(root_).error(), HasSubstr("there is no journal in"));
}

TEST_F(JournalReaderTest, BeginsAtAPositionOrATime) {
  ASSERT_TRUE(write(*start(), 1, 100));
  for (const std::uint64_t from : {1U, 2U, 20U, 21U, 22U, 60U, 100U}) {
    const auto there = sequences({from, ""});
    EXPECT_EQ(there.front(), from);
    EXPECT_EQ(there.size(), 101 - from);
  }
  EXPECT_TRUE(sequences({101, ""}).empty());
  EXPECT_EQ(sequences({0, "1970-01-01T00:01:10.000000Z"}).front(), 70U)
      << "event 70 is of second 70";
  EXPECT_EQ(sequences({0, "1960-01-01T00:00:00.000000Z"}).size(), 100U);
  EXPECT_TRUE(sequences({0, "1980-01-01T00:00:00.000000Z"}).empty());
}

TEST_F(JournalReaderTest, ReadsOnlyTheFilesItHasTo) {
  ASSERT_TRUE(write(*start(), 1, 200));
  auto reader = JournalReader::open(spec_.folder, {199, ""});
  ASSERT_TRUE(reader);
  while (reader->next()) {
  }
  EXPECT_LE(reader->files_read(), 2U);
  EXPECT_GT(files().size(), 8U);
}

TEST_F(JournalReaderTest, TellsWhatWasRemovedBeforeTheStartAndInBetween) {
  ASSERT_TRUE(write(*start(), 1, 100));
  const auto all = files();
  ASSERT_GE(all.size(), 4U);
  std::filesystem::remove(all[0]);
  EXPECT_EQ(read().front().kind, JournalItem::Kind::event) << "the oldest are removed: no fault";
  const auto from_start = read({1, ""});
  EXPECT_EQ(from_start.front().kind, JournalItem::Kind::missing);
  EXPECT_EQ(from_start.front().position, 1U);
  EXPECT_EQ(from_start.front().last + 1, from_start[1].position);

  std::filesystem::remove(all[2]);
  const auto items = read();
  const auto gap = std::find_if(items.begin(), items.end(), [](const auto& item) {
    return item.kind == JournalItem::Kind::missing;
  });
  ASSERT_NE(gap, items.end());
  EXPECT_EQ(spec_.folder + "/" + std::filesystem::path(all[3]).filename().string(), gap->file);
  EXPECT_EQ(gap->line, 1U);
  EXPECT_EQ((gap + 1)->position, gap->last + 1);
  EXPECT_EQ((gap - 1)->position, gap->position - 1);
}

TEST_F(JournalReaderTest, TellsATornEndOfAFileThatHasALaterOneAsDamage) {
  ASSERT_TRUE(write(*start(), 1, 100));
  const auto path = files()[1];
  const auto whole = content(path);
  replace(path, whole.substr(0, whole.size() - 5));
  std::vector<JournalItem> bad;
  for (auto& item : read()) {
    if (item.kind != JournalItem::Kind::event) bad.push_back(item);
  }
  ASSERT_THAT(bad, SizeIs(1));
  EXPECT_EQ(bad[0].kind, JournalItem::Kind::damage);
  EXPECT_EQ(bad[0].file, path);
  EXPECT_EQ(bad[0].text, "it is cut off");
}

TEST_F(JournalReaderTest, TakesALineThatIsBeingWrittenForNoDamage) {
  ASSERT_TRUE(write(*start(), 1, 2));
  const auto path = files().front();
  const auto whole = content(path);
  replace(path, whole.substr(0, whole.size() - 5));
  auto reader = JournalReader::open(spec_.folder);
  ASSERT_TRUE(reader);
  EXPECT_EQ(sequence_of(*reader->next()), 1U);
  EXPECT_FALSE(reader->next());
  EXPECT_EQ(reader->unfinished_bytes(), whole.size() / 2 - 5);
  replace(path, whole);
  EXPECT_EQ(sequence_of(*reader->next()), 2U);
  EXPECT_FALSE(reader->next());
  EXPECT_EQ(reader->unfinished_bytes(), 0U);
}

// While files are begun and removed under its feet: each event once and in order, or told missing.
TEST_F(JournalReaderTest, FollowsAWriter) {
  spec_.max_bytes = 1UL << 18U;
  constexpr std::uint64_t last = 5000;
  const auto file = start();
  ASSERT_TRUE(write(*file, 1, 1));
  auto reader = JournalReader::open(spec_.folder);
  ASSERT_TRUE(reader);
  std::thread writer{[&] {
    for (std::uint64_t i = 2; i <= last; i += 10) {
      for (auto n = i; n < i + 10 && n <= last; ++n)
        file->publish(numbered(n));
      static_cast<void>(file->flush());
    }
  }};
  std::uint64_t next = 1;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{50};
  while (next <= last && std::chrono::steady_clock::now() < until) {
    const auto item = reader->next();
    if (!item) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_NE(item->kind, JournalItem::Kind::damage)
        << item->file << ":" << item->line << item->text;
    EXPECT_EQ(item->position, next);
    next = (item->kind == JournalItem::Kind::missing ? item->last : item->position) + 1;
  }
  writer.join();
  EXPECT_EQ(next, last + 1);
}

}  // namespace
}  // namespace espalier::supervisor
