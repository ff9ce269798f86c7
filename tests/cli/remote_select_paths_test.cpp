#include "cli/remote_nodes.hpp"
#include "espalier/cli/remote/select_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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
