#include "espalier/supervisor/observe/internal/journal_store.hpp"
#include "libsupervisor/observe/journal_folder_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <ctime>
#include <filesystem>

namespace espalier::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JournalStoreTest : public JournalFolderTest {};

TEST_F(JournalStoreTest, AQuietFileGoesWhenItsEventsAreTooOld) {
  constexpr std::time_t hour = 3600;
  spec_.max_age = std::chrono::hours{1};
  internal::JournalStore store{spec_, internal::disk_of(spec_.folder)};
  ASSERT_TRUE(store.open());
  store.buffer() += R"({"type":"tree_starting"})";
  store.end_line({1, 1, 1});
  ASSERT_EQ(store.write().dropped, 0U);
  store.tidy(std::time(nullptr) + hour - 60);
  EXPECT_THAT(files(), ElementsAre(HasSubstr("000000000001.ndjson"))) << "not yet";
  store.tidy(std::time(nullptr) + 2 * hour);
  EXPECT_THAT(files(), ElementsAre(HasSubstr("000000000002.ndjson"))) << "and it can be written on";
}

// Whoever may write to the folder could else have any file of ours cut short and written on.
TEST_F(JournalStoreTest, ALinkInPlaceOfAFileIsNotFollowed) {
  const auto victim = root_ + "/victim";
  const std::string text = "not a journal, and not ours\n";
  replace(victim, text);
  std::filesystem::create_directories(spec_.folder);
  std::filesystem::create_symlink(victim, spec_.folder + "/000000000001.ndjson");
  {
    const auto file = start();
    EXPECT_FALSE(write(*file, 1, 1));
  }
  EXPECT_EQ(content(victim), text);
  EXPECT_THAT(said().front(), HasSubstr("cannot open"));
  std::filesystem::remove(victim);
  {
    const auto file = start();
    EXPECT_FALSE(write(*file, 2, 2));
  }
  EXPECT_FALSE(std::filesystem::exists(victim)) << "it was made where the link points to";
}

}  // namespace
}  // namespace espalier::supervisor
