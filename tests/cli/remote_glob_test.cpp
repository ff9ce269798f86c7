#include "cli/remote_nodes.hpp"
#include "espalier/cli/remote/glob.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Glob, AStarStaysWithinANameAndTwoCrossNames) {
  EXPECT_TRUE(glob_matches("/workers/*", "/workers/a"));
  EXPECT_FALSE(glob_matches("/workers/*", "/workers/a/b"));
  EXPECT_FALSE(glob_matches("/workers/*", "/workers"));
  EXPECT_TRUE(glob_matches("/**", "/workers/a/b"));
  EXPECT_TRUE(glob_matches("/**/b", "/workers/a/b"));
  EXPECT_FALSE(glob_matches("/**/c", "/workers/a/b"));
  EXPECT_TRUE(glob_matches("/w*-?", "/worker-1"));
  EXPECT_FALSE(glob_matches("/w*-?", "/worker-12"));
  EXPECT_FALSE(glob_matches("/a?b", "/a/b"));
  EXPECT_TRUE(glob_matches("/*a*b", "/xaxxb"));
  EXPECT_FALSE(glob_matches("/a", "/ab"));
  EXPECT_FALSE(glob_matches("", "/"));
}

TEST(Glob, AHostilePatternTakesNoLongTime) {
  const std::string path = "/" + std::string(2000, 'a');
  std::string pattern = "/";
  for (int i = 0; i < 500; ++i)
    pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "b", path));
}

TEST(Glob, KnowsAPatternFromAPath) {
  EXPECT_TRUE(is_glob("/a/*"));
  EXPECT_TRUE(is_glob("/a?"));
  EXPECT_FALSE(is_glob("/a/b-1"));
}

TEST(SelectPaths, KeepsTheOrderOfTheTreeAndLeavesOutTheRoot) {
  const std::vector<ipc::NodeInfo> nodes = {test_node("/"), test_node("/b"), test_node("/a"),
                                            test_node("/a/x")};
  EXPECT_THAT(select_paths(nodes, {"/**"}, false), ElementsAre("/b", "/a", "/a/x"));
  EXPECT_THAT(select_paths(nodes, {"/a", "/b"}, false), ElementsAre("/b", "/a"));
  EXPECT_THAT(select_paths(nodes, {"/c*"}, false), IsEmpty());
}

TEST(SelectPaths, WhatStandsBelowAChosenNodeIsReachedThroughIt) {
  const std::vector<ipc::NodeInfo> nodes = {test_node("/"), test_node("/a"), test_node("/a/x"),
                                            test_node("/ab")};
  EXPECT_THAT(select_paths(nodes, {"/**"}, true), ElementsAre("/a", "/ab"));
  EXPECT_THAT(select_paths(nodes, {"/a/*"}, true), ElementsAre("/a/x"));
}

}  // namespace
}  // namespace espalier::cli
