#include "espalier/ipc/client/find_target.hpp"
#include "ipc/support/socket_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace espalier::ipc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class FindTargetTest : public ::testing::Test {
 protected:
  ~FindTargetTest() override {
    for (const int fd : listeners_)
      ::close(fd);
  }
  std::string live(const std::string& name, int backlog = 8) {
    listeners_.push_back(testing::listen_at(folder_.path(name), backlog));
    return folder_.path(name);
  }
  std::string dead(const std::string& name) {
    ::close(testing::listen_at(folder_.path(name)));
    return folder_.path(name);
  }
  testing::SocketFolder folder_;
  std::vector<std::string> folders_ = {folder_.path(), folder_.path("missing")};
  std::vector<int> listeners_;
};

TEST_F(FindTargetTest, lists_sockets_by_name_and_nothing_else) {
  live("shop.sock");
  dead("bank.sock");
  live("other");
  std::ofstream(folder_.path("file.sock")) << "no socket";
  std::filesystem::create_symlink(folder_.path("shop.sock"), folder_.path("link.sock"));
  const auto found = list_targets(folders_);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "bank");
  EXPECT_FALSE(found[0].alive);
  EXPECT_EQ(found[1].name, "shop");
  EXPECT_EQ(found[1].path, folder_.path("shop.sock"));
  EXPECT_TRUE(found[1].alive);
}

TEST_F(FindTargetTest, waits_for_none) {
  live("hung.sock", 0);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    const auto found = list_targets(folders_);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].alive);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2});
}

TEST_F(FindTargetTest, finds_the_only_one_alive_or_the_one_named) {
  const auto shop = live("shop.sock");
  dead("bank.sock");
  EXPECT_EQ(find_target("", folders_).value(), shop);
  const auto mill = live("mill.sock");
  EXPECT_EQ(find_target("mill", folders_).value(), mill);
  EXPECT_EQ(find_target("shop", folders_).value(), shop);
}

TEST_F(FindTargetTest, says_where_it_could_not_look) {
  live("shop.sock");
  EXPECT_THAT(find_target("other", folders_).error(), Not(HasSubstr("may not look")));
  const bool is_root = ::geteuid() == 0;
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::none);
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto none = find_target("", folders_);
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error(), HasSubstr("you may not look into " + folder_.path()));
  EXPECT_THAT(none.error(), Not(HasSubstr("look into " + folder_.path("missing"))));
}

TEST_F(FindTargetTest, says_what_is_there_and_how_to_choose) {
  const auto none = find_target("", folders_);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error(), AllOf(HasSubstr(folder_.path()), HasSubstr("espalier run")));
  const auto bank = dead("bank.sock");
  EXPECT_THAT(find_target("bank", folders_).error(), HasSubstr("nobody answers at " + bank));
  const auto shop = live("shop.sock");
  const auto mill = live("mill.sock");
  EXPECT_THAT(find_target("", folders_).error(),
              AllOf(HasSubstr("2 targets run"), HasSubstr(shop), HasSubstr(mill),
                    HasSubstr("--socket"), Not(HasSubstr(bank))));
  EXPECT_THAT(find_target("inn", folders_).error(),
              AllOf(HasSubstr("named inn"), HasSubstr(shop), HasSubstr("--socket")));
}

TEST_F(FindTargetTest, a_folder_of_a_stranger_is_not_looked_into) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  live("shop.sock");
  ASSERT_EQ(::chown(folder_.path().c_str(), 65534, 65534), 0);
  EXPECT_TRUE(list_targets(folders_).empty());
}

TEST_F(FindTargetTest, a_folder_that_root_has_given_to_somebody_is_looked_into) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const std::string given = folder_.path("espalier");  // Nobody but root makes folders beside it.
  std::filesystem::create_directory(given);
  live("espalier/shop.sock");
  ASSERT_EQ(::chown(given.c_str(), 65534, 65534), 0);
  EXPECT_EQ(list_targets({given}).size(), 1U);
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  EXPECT_TRUE(list_targets({given}).empty()) << "anybody may have made it";
}

TEST_F(FindTargetTest, looks_where_targets_put_their_sockets) {
  const char* before = std::getenv("XDG_RUNTIME_DIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_THAT(runtime_folders(), ElementsAre("/run/user/7/espalier", "/run/espalier"));
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(runtime_folders().back(), "/run/espalier");
  if (before != nullptr) ::setenv("XDG_RUNTIME_DIR", kept.c_str(), 1);
}

}  // namespace
}  // namespace espalier::ipc
