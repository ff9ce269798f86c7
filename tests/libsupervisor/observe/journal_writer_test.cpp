#include "espalier/supervisor/observe/internal/journal_writer.hpp"

#include "libsupervisor/observe/sim_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JournalWriterTest : public testing::Test {
 protected:
  JournalWriterTest() {
    spec_.folder = "journal";
    spec_.segment_bytes = 4096;
    spec_.sync = JournalSync::always;
  }
  std::unique_ptr<internal::JournalWriter> start() {
    auto writer = std::make_unique<internal::JournalWriter>(
        spec_, disk_, [this](Severity, const std::string& text) { said_.push_back(text); });
    writer->start(now_);
    return writer;
  }
  bool write(internal::JournalWriter& writer, std::uint64_t count) {
    std::vector<Event> batch(count);
    for (auto& event : batch) {
      event.sequence = ++sequence_;
      event.path = "/db";
      event.body = events::ChildStatusText{"at work"};
    }
    return writer.write(batch, {}, now_);
  }
  [[nodiscard]] std::vector<std::uint64_t> first_positions() const {
    std::vector<std::uint64_t> out;
    const auto segments = disk_->list();
    for (const auto& segment : *segments)
      out.push_back(segment.first);
    return out;
  }

  JournalSpec spec_;
  std::shared_ptr<SimDisk> disk_ = std::make_shared<SimDisk>(1);
  std::vector<std::string> said_;
  TimePoint now_ = {};
  std::uint64_t sequence_ = 0;
};

// What cannot be read looks like an end; whatever stands after it must not be cut off for that.
TEST_F(JournalWriterTest, AFileThatCannotBeReadIsNotCut) {
  ASSERT_TRUE(write(*start(), 10));
  const auto bytes = disk_->bytes();
  const auto calls = [this](int failing) {
    disk_->fault = [call = 0, failing]() mutable { return ++call == failing ? EIO : 0; };
  };
  constexpr int reads_the_bytes = 4;  // After enter, list and opening it for reading.
  calls(reads_the_bytes);
  const auto writer = start();
  EXPECT_TRUE(writer->is_failing());
  EXPECT_EQ(disk_->bytes(), bytes);
  EXPECT_THAT(said_, ElementsAre(AllOf(HasSubstr("cannot read journal/000000000001.ndjson"),
                                       HasSubstr("the tree goes on"))));
  now_ += 1s;
  ASSERT_TRUE(writer->come_back(now_));
  EXPECT_TRUE(write(*writer, 1));
  EXPECT_GT(disk_->bytes(), bytes);
  EXPECT_THAT(first_positions(), ElementsAre(1));
}

TEST_F(JournalWriterTest, TriesAgainEachSecondAndNotMoreOften) {
  disk_->fault = [] { return EROFS; };
  const auto writer = start();
  ASSERT_TRUE(writer->is_failing());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(writer->next_look(), now_ + 1s);
    now_ += 1s;
    EXPECT_FALSE(writer->come_back(now_));
  }
  EXPECT_EQ(said_.size(), 1U) << "said once";
}

TEST_F(JournalWriterTest, NeverHasMoreFilesThanItMayKeep) {
  for (const std::uint32_t keep : {1U, 2U, 5U}) {
    disk_ = std::make_shared<SimDisk>(1);
    spec_.keep = keep;
    const auto writer = start();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(write(*writer, 1));
      ASSERT_LE(first_positions().size(), keep);
    }
    EXPECT_EQ(first_positions().size(), keep);
  }
}

TEST_F(JournalWriterTest, RemovesTheOldestFirst) {
  const auto writer = start();
  while (first_positions().size() < 8)
    ASSERT_TRUE(write(*writer, 1));
  const auto before = first_positions();
  spec_.keep = 3;
  int removals = 0;
  // The end comes after two of the five removals.
  disk_->on_remove = [&](const std::string&) { return ++removals > 2 ? EIO : 0; };
  static_cast<void>(start());
  EXPECT_EQ(first_positions(), std::vector<std::uint64_t>(before.begin() + 2, before.end()));
}

TEST_F(JournalWriterTest, AFileThatCannotBeRemovedIsToldOnceAndNoYoungerOneGoesForIt) {
  spec_.max_bytes = 5 * 4096;
  disk_->on_remove = [](const std::string& path) {
    return path.find("000000000001.") != std::string::npos ? EPERM : 0;
  };
  const auto writer = start();
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(write(*writer, 1));
  EXPECT_THAT(said_, ElementsAre(AllOf(HasSubstr("cannot remove journal/000000000001.ndjson"),
                                       HasSubstr("remove it by hand"))));
  EXPECT_EQ(first_positions().front(), 1U);
  EXPECT_EQ(first_positions().size(), 5U) << "four that fit, and the one that stays";
  EXPECT_LT(disk_->bytes(), 6 * 4096U);
}

TEST_F(JournalWriterTest, AFileThatIsEndedForItsAgeIsSyncedFirst) {
  spec_.sync = JournalSync::interval;
  spec_.max_age = 1h;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    disk_ = std::make_shared<SimDisk>(seed);
    internal::JournalStore store{spec_, disk_};
    ASSERT_TRUE(store.open());
    store.buffer() += R"({"type":"tree_starting"})";
    store.end_line({1, 1, 1});
    ASSERT_EQ(store.write().dropped, 0U);
    const auto later = std::time(nullptr) + 2 * 3600;
    disk_->written_at = later;  // Begun long ago, and written just now.
    store.tidy(later);
    ASSERT_THAT(first_positions(), ElementsAre(1, 2));
    disk_->lose_power();
    ASSERT_THAT(disk_->content("journal/000000000001.ndjson"), HasSubstr("tree_starting"));
  }
}

// A reader must find the hole and its name in one place: what is removed later takes both.
TEST_F(JournalWriterTest, WhatFoundNoRoomIsNamedAfterWhatWaited) {
  disk_->fault = [] { return ENOSPC; };
  const auto writer = start();
  disk_->fault = [] { return 0; };
  now_ += 1s;
  ASSERT_TRUE(writer->come_back(now_));
  Event event;
  event.sequence = 5;
  ASSERT_TRUE(writer->write({event}, {3, 6, 8}, now_));
  const auto content = disk_->content("journal/000000000001.ndjson");
  EXPECT_LT(content.find("\"sequence\":5"), content.find("subscriber_lagged"));
  EXPECT_THAT(content, HasSubstr("\"dropped\":3,\"from\":6,\"to\":8"));
}

}  // namespace
}  // namespace espalier::supervisor
