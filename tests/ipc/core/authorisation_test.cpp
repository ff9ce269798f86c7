#include "espalier/ipc/core/authorisation.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

constexpr std::uint32_t own = 1000;
constexpr std::uint32_t stranger = 2000;
constexpr std::uint32_t listed = 42;

// How a peer can be on a list.
enum class By { uid, gid, group };

supervisor::PeerRule rule_for(By by) {
  if (by == By::uid) return {.uids = {7, listed}};
  return {.gids = {7, listed}};
}

Peer peer_by(By by) {
  Peer peer{.pid = 1, .uid = stranger, .gid = stranger, .groups = {stranger}};
  if (by == By::uid) peer.uid = listed;
  if (by == By::gid) peer.gid = listed;
  if (by == By::group) peer.groups = {stranger, listed};
  return peer;
}

void expect_rights(const Authorisation& rules, const Peer& peer, std::size_t rank,
                   const std::string& what) {
  const std::vector<MethodClass> all{MethodClass::read, MethodClass::write, MethodClass::dangerous};
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(rules.may(peer, all[i]), i < rank) << what << ", " << to_string(all[i]);
  }
  EXPECT_EQ(rules.may_connect(peer), rank > 0) << what;
  EXPECT_EQ(rules.allowed(peer),
            std::vector<MethodClass>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(rank)))
      << what;
}

TEST(authorisation, by_default_root_and_our_user_may_everything_and_others_nothing) {
  const Authorisation rules{{}, own};
  expect_rights(rules, {.uid = 0, .gid = stranger}, 3, "root");
  expect_rights(rules, {.uid = own, .gid = stranger}, 3, "own user");
  expect_rights(rules, {.uid = stranger, .gid = stranger}, 0, "stranger");
  // Numbers of groups are no numbers of users: group 0 is not root.
  expect_rights(rules, {.uid = stranger, .gid = 0, .groups = {0, own}}, 0, "root's group");
  expect_rights(rules, {.uid = stranger, .gid = own}, 0, "own user's group");
}

TEST(authorisation, the_owner_is_root_or_our_user_whatever_is_listed) {
  const supervisor::DashboardSecurity lists{.dangerous = {.uids = {listed}}};
  const Authorisation rules{lists, own};
  EXPECT_TRUE(rules.is_owner({.uid = 0}));
  EXPECT_TRUE(rules.is_owner({.uid = own}));
  EXPECT_FALSE(rules.is_owner({.uid = listed}));
}

// Every combination of lists a peer is on, by every way to be on it: the highest decides.
TEST(authorisation, who_may_more_may_less) {
  for (const auto by : {By::uid, By::gid, By::group}) {
    for (unsigned lists = 0; lists < 8; ++lists) {
      supervisor::DashboardSecurity security;
      if ((lists & 1U) != 0) security.read = rule_for(by);
      if ((lists & 2U) != 0) security.write = rule_for(by);
      if ((lists & 4U) != 0) security.dangerous = rule_for(by);
      const std::size_t rank = (lists & 4U) != 0 ? 3 : (lists & 2U) != 0 ? 2 : lists;
      const Authorisation rules{security, own};
      const auto what =
          "by " + std::to_string(static_cast<int>(by)) + " on " + std::to_string(lists);
      expect_rights(rules, peer_by(by), rank, what);
      expect_rights(rules, {.uid = stranger, .gid = stranger, .groups = {stranger}}, 0, what);
      expect_rights(rules, {.uid = own}, 3, what);
      expect_rights(rules, {.uid = 0}, 3, what);
    }
  }
}

TEST(authorisation, a_number_on_the_list_of_users_is_no_group_and_the_other_way_round) {
  const Authorisation users{{.dangerous = {.uids = {listed}}}, own};
  expect_rights(users, peer_by(By::gid), 0, "group on the list of users");
  expect_rights(users, peer_by(By::group), 0, "group on the list of users");
  const Authorisation groups{{.dangerous = {.gids = {listed}}}, own};
  expect_rights(groups, peer_by(By::uid), 0, "user on the list of groups");
}

}  // namespace
}  // namespace espalier::ipc
