#include "libsupervisor/observe/gate.hpp"
#include "libsupervisor/observe/journal_folder_fixture.hpp"
#include "libsupervisor/observe/sim_disk.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <random>
#include <thread>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::uint64_t> count_to(std::uint64_t last) {
  std::vector<std::uint64_t> out(last);
  std::iota(out.begin(), out.end(), 1);
  return out;
}

class JournalFileTest : public JournalFolderTest {};

TEST_F(JournalFileTest, KeepsEveryEventAndGoesOnAfterARestart) {
  EXPECT_TRUE(write(*start(), 1, 3));
  EXPECT_TRUE(write(*start(), 4, 5));
  const auto items = read();
  ASSERT_THAT(items, SizeIs(5));
  EXPECT_EQ(items.back().position, 5U);
  EXPECT_EQ(sequences(), count_to(5));
  EXPECT_THAT(files(), ElementsAre(spec_.folder + "/000000000001.ndjson"));
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(JournalFileTest, LetsOthersReadNothing) {
  EXPECT_TRUE(write(*start(), 1, 1));
  struct stat info = {};
  ASSERT_EQ(::stat(files().front().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U);
  ASSERT_EQ(::stat(spec_.folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U);
}

TEST_F(JournalFileTest, TheEndWritesWhatIsQueued) {
  {
    const auto file = start();
    for (std::uint64_t i = 1; i <= 500; ++i)
      file->publish(numbered(i));
  }
  EXPECT_EQ(sequences(), count_to(500));
}

TEST_F(JournalFileTest, BeginsANewFileWhereOneIsFull) {
  spec_.segment_bytes = 4096;
  EXPECT_TRUE(write(*start(), 1, 100));
  EXPECT_GT(files().size(), 3U);
  for (const auto& path : files())
    EXPECT_LT(std::filesystem::file_size(path), 4096U + 300U) << path;
  EXPECT_EQ(sequences(), count_to(100));
}

TEST_F(JournalFileTest, BeginsANewFileAtTheStartWhereTheLastOneIsFull) {
  EXPECT_TRUE(write(*start(), 1, 100));
  ASSERT_THAT(files(), SizeIs(1));
  const auto first = content(files().front());
  spec_.segment_bytes = 4096;
  EXPECT_TRUE(write(*start(), 101, 101));
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(content(files().front()), first);
  EXPECT_EQ(sequences(), count_to(101));
}

// Also where one file would be larger than all are allowed to be.
TEST_F(JournalFileTest, NeverGrowsBeyondItsBytes) {
  for (const std::size_t segment : {5000UL, 1UL << 20U}) {
    spec_.folder = root_ + "/" + std::to_string(segment);
    spec_.segment_bytes = segment;
    spec_.max_bytes = 16384;
    const auto file = start();
    for (std::uint64_t round = 0; round < 250; ++round) {
      EXPECT_TRUE(write(*file, round * 4 + 1, round * 4 + 4));
      std::uintmax_t bytes = 0;
      for (const auto& path : files())
        bytes += std::filesystem::file_size(path);
      EXPECT_LE(bytes, 16384U + 200U) << "no more than a line too much";
    }
    const auto left = sequences();
    ASSERT_FALSE(left.empty());
    EXPECT_EQ(left.back(), 1000U);
    EXPECT_GT(left.front(), 800U) << "the oldest were removed";
    EXPECT_LT(left.front(), 980U) << "and not all";
    EXPECT_EQ(left.size(), 1001 - left.front()) << "and nothing in between";
  }
}

TEST_F(JournalFileTest, KeepsSoManyFilesAndRemovesOldOnes) {
  spec_.segment_bytes = 4096;
  spec_.keep = 2;
  EXPECT_TRUE(write(*start(), 1, 200));
  EXPECT_THAT(files(), SizeIs(2));

  spec_.keep = 0;
  spec_.max_age = 1h;
  const auto old = files().front();
  std::filesystem::last_write_time(old, std::filesystem::file_time_type::clock::now() - 2h);
  EXPECT_TRUE(write(*start(), 201, 201));
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_EQ(sequences().back(), 201U);
}

TEST_F(JournalFileTest, CutsOffATornEndAndSaysSo) {
  EXPECT_TRUE(write(*start(), 1, 3));
  const auto path = files().front();
  const auto whole = content(path);
  replace(path, whole.substr(0, whole.size() - 9));
  EXPECT_TRUE(write(*start(), 4, 4));
  EXPECT_EQ(sequences(), (std::vector<std::uint64_t>{1, 2, 4}));
  EXPECT_THAT(said(), ElementsAre(AllOf(HasSubstr("bytes of " + path), HasSubstr("cut off"))));
  EXPECT_EQ(content(path).substr(0, whole.size() / 3 * 2), whole.substr(0, whole.size() / 3 * 2));
}

TEST_F(JournalFileTest, LeavesAFileThatIsDamagedBeforeItsEndAsItIs) {
  EXPECT_TRUE(write(*start(), 1, 3));
  const auto path = files().front();
  auto bytes = content(path);
  bytes[bytes.find('\n') + 5] ^= 1;  // In the second line.
  replace(path, bytes);
  EXPECT_TRUE(write(*start(), 4, 4));
  EXPECT_EQ(content(path), bytes);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("is damaged before its end")));
  const auto items = read();
  ASSERT_THAT(items, SizeIs(4));
  EXPECT_EQ(items[1].kind, JournalItem::Kind::damage);
  EXPECT_EQ(items[1].file, path);
  EXPECT_EQ(items[1].line, 2U);
  EXPECT_EQ(items[1].text, "its checksum is wrong");
  EXPECT_EQ(items[2].position, 3U);
  EXPECT_EQ(items[3].position, 4U) << "in a new file";
}

TEST_F(JournalFileTest, HasOneWriterAtATimeAndTheSecondWaitsItsTurn) {
  auto first = start();
  EXPECT_TRUE(write(*first, 1, 1));
  const auto second = start();
  second->publish(numbered(2));
  EXPECT_FALSE(second->flush()) << "and it does not wait for the first";
  EXPECT_THAT(said(), ElementsAre(HasSubstr("another program writes the journal")));
  first.reset();
  EXPECT_TRUE(second->flush());
  EXPECT_EQ(sequences(), count_to(2));
  ASSERT_THAT(said(), SizeIs(2));
  EXPECT_THAT(said()[1], HasSubstr("is written again; no event is missing"));
}

TEST_F(JournalFileTest, AFolderThatCannotBeHadCostsNothingButTheJournal) {
  replace(root_ + "/deep", "a file, where a folder should be");
  const auto file = start();
  file->publish(numbered(1));
  EXPECT_FALSE(file->flush());
  EXPECT_FALSE(file->flush());
  EXPECT_THAT(said(), ElementsAre(HasSubstr("cannot write the journal in"))) << "once";
  std::filesystem::remove(root_ + "/deep");
  EXPECT_TRUE(file->flush());
  EXPECT_EQ(sequences(), count_to(1)) << "it had waited";
}

TEST_F(JournalFileTest, BeginsAnewWhereSomebodyRemovedItsFiles) {
  const auto file = start();
  EXPECT_TRUE(write(*file, 1, 2));
  std::filesystem::remove_all(spec_.folder);
  EXPECT_TRUE(write(*file, 3, 4));
  EXPECT_THAT(files(), ElementsAre(spec_.folder + "/000000000003.ndjson"));
  EXPECT_EQ(sequences(), (std::vector<std::uint64_t>{3, 4}));
}

TEST_F(JournalFileTest, WhoPublishesNeverWaitsForTheDisk) {
  Gate gate;
  const auto disk = std::make_shared<SimDisk>(1);
  disk->fault = [&] {
    gate.pass();
    return 0;
  };
  gate.close();
  spec_.folder = "journal";
  const auto file = *JournalFile::start(
      spec_, [](Severity, const std::string&) {}, disk);
  gate.wait_until_somebody_waits();
  constexpr std::uint64_t more_than_can_wait = 20'000;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 1; i <= more_than_can_wait; ++i)
    file->publish(numbered(i));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  gate.open();
  EXPECT_TRUE(file->flush());
  auto reader = JournalReader::open("journal", {}, disk);
  ASSERT_TRUE(reader);
  std::uint64_t last = 0;
  while (const auto item = reader->next())
    last = sequence_of(*item);
  EXPECT_EQ(last, more_than_can_wait) << "the line that names those for which there was no room";
}

// 30 times: a writer is killed at a random moment. All that it was told is written is there, once
// and in order, and the next one goes on.
TEST_F(JournalFileTest, LosesNothingThatWasWrittenToAKill) {
  std::mt19937 random{20261122};
  std::uniform_int_distribution<int> moment{500, 30000};
  spec_.segment_bytes = 32768;
  spec_.max_bytes = 1UL << 30U;
  std::uint64_t written = 0;
  for (int round = 0; round < 30; ++round) {
    int told[2] = {};
    ASSERT_EQ(::pipe(told), 0);
    const auto child = ::fork();
    if (child == 0) {
      auto file = JournalFile::start(spec_, [](Severity, const std::string&) {});
      if (!file) std::_Exit(1);
      for (auto next = written + 1;; ++next) {
        (*file)->publish(numbered(next));
        if (next % 7 == 0 && (*file)->flush() && ::write(told[1], &next, sizeof next) < 0) break;
      }
      std::_Exit(2);
    }
    ASSERT_GT(child, 0);
    ::close(told[1]);
    std::this_thread::sleep_for(std::chrono::microseconds{moment(random)});
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it was to be killed, and ended by itself: " << status;
    std::uint64_t acknowledged = written;
    while (::read(told[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::close(told[0]);
    const auto there = sequences({written + 1, ""});
    for (const auto sequence : there)
      ASSERT_EQ(sequence, ++written) << "round " << round;
    ASSERT_GE(written, acknowledged) << "round " << round;
  }
  EXPECT_EQ(sequences(), count_to(written));
  EXPECT_GT(written, 1000U) << "the rounds were too short to show anything";
}

}  // namespace
}  // namespace espalier::supervisor
