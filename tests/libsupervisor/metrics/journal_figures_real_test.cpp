#include "espalier/metrics/journal_figures.hpp"
#include "libsupervisor/metrics/scrape.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

namespace espalier::metrics {
namespace {

using namespace std::chrono_literals;
namespace sv = espalier::supervisor;

class JournalFiguresTest : public ::testing::Test {
 protected:
  ~JournalFiguresTest() override { std::filesystem::remove_all(folder_); }
  std::shared_ptr<sv::JournalFile> start(const std::string& folder) {
    auto started = sv::JournalFile::start(sv::JournalSpec{.folder = folder},
                                          [](sv::Severity, const std::string&) {});
    EXPECT_TRUE(started);
    return *started;
  }
  static void tell(sv::JournalFile& journal, int count) {
    for (int i = 0; i < count; ++i) {
      sv::Event event;
      event.sequence = static_cast<std::uint64_t>(i) + 1;
      event.path = "/db";
      event.body = sv::events::ChildReady{};
      journal.publish(event);
    }
  }
  std::string value(const std::shared_ptr<sv::JournalFile>& journal, const std::string& name) {
    return testing::value_of(JournalFigures{journal}, name);
  }

  std::string folder_ =
      std::string{::testing::TempDir()} + "journal_figures_" + std::to_string(::getpid());
};

TEST_F(JournalFiguresTest, CountWhatIsWritten) {
  const auto journal = start(folder_);
  tell(*journal, 3);
  ASSERT_TRUE(journal->flush());
  for (int i = 0; i < 200 && value(journal, "espalier_journal_events_written_total") != "3"; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(value(journal, "espalier_journal_events_written_total"), "3");
  EXPECT_EQ(value(journal, "espalier_journal_events_lost_total"), "0");
  EXPECT_EQ(value(journal, "espalier_journal_failing"), "0");
}

TEST_F(JournalFiguresTest, TellOfAJournalThatCannotBeWritten) {
  const auto journal = start("/dev/null/journal");
  for (int i = 0; i < 200 && value(journal, "espalier_journal_failing") != "1"; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(value(journal, "espalier_journal_failing"), "1");
}

TEST_F(JournalFiguresTest, CountWhatHadNoRoomWhileItCouldNotBeWritten) {
  std::filesystem::create_directories(folder_);
  const auto way = folder_ + "/way";
  {
    std::FILE* const file = std::fopen(way.c_str(), "w");
    std::fclose(file);
  }
  const auto journal = start(way + "/journal");
  tell(*journal, 200'000);
  std::filesystem::remove(way);  // Within a second it comes back, and names what is missing.
  for (int i = 0; i < 500 && value(journal, "espalier_journal_events_lost_total") == "0"; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_GT(std::stoull(value(journal, "espalier_journal_events_lost_total")), 100'000U);
}

TEST_F(JournalFiguresTest, SayNothingOfAJournalThatIsClosed) {
  auto journal = start(folder_);
  const JournalFigures figures{journal};
  EXPECT_EQ(testing::scrape(figures).size(), 3U);
  journal.reset();
  EXPECT_EQ(testing::scrape(figures).size(), 0U);
}

}  // namespace
}  // namespace espalier::metrics
