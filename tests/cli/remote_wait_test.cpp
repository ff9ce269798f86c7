#include "cli/remote_nodes.hpp"
#include "espalier/cli/remote/follow.hpp"

#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

using supervisor::ChildPhase;

TEST(IsReached, AllThatAreMeantMustBeThere) {
  std::vector<ipc::NodeInfo> nodes = {test_node("/"), test_node("/a"),
                                      test_node("/b", ChildPhase::starting)};
  EXPECT_TRUE(is_reached(nodes, "/a", "ready"));
  EXPECT_FALSE(is_reached(nodes, "/b", "ready"));
  EXPECT_FALSE(is_reached(nodes, "/*", "ready"));
  nodes[2] = test_node("/b");
  EXPECT_TRUE(is_reached(nodes, "/*", "ready"));
}

TEST(IsReached, StoppedIsWhateverIsDown) {
  for (const ChildPhase phase : {ChildPhase::stopped, ChildPhase::paused, ChildPhase::quarantined})
    EXPECT_TRUE(is_reached({test_node("/a", phase)}, "/a", "stopped"));
  for (const ChildPhase phase :
       {ChildPhase::stopping, ChildPhase::backing_off, ChildPhase::running})
    EXPECT_FALSE(is_reached({test_node("/a", phase)}, "/a", "stopped"));
}

TEST(IsReached, WhatIsNotThereIsRemovedAndNothingElse) {
  EXPECT_TRUE(is_reached({test_node("/")}, "/a", "removed"));
  EXPECT_FALSE(is_reached({test_node("/a")}, "/a", "removed"));
  EXPECT_FALSE(is_reached({test_node("/")}, "/a", "ready"));
  EXPECT_FALSE(is_reached({test_node("/")}, "/a", "stopped"));
}

}  // namespace
}  // namespace espalier::cli
