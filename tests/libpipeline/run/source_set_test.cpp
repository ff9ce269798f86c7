#include "espalier/pipeline/run/internal/source_set.hpp"

#include <gtest/gtest.h>

namespace espalier::pipeline::internal {
namespace {

const auto everywhere = [](const SourceSet::Entry& entry) { return entry.has_something(); };
const auto no_source = [](Chunk&, std::size_t) { return false; };

TEST(SourceSet, SourcesAreServedInTurn) {
  SourceSet sources;
  for (NodeId node = 0; node < 3; ++node)
    sources.add(node, no_source);
  EXPECT_EQ(sources.next(everywhere)->node, 0);
  EXPECT_EQ(sources.next(everywhere)->node, 1);
  EXPECT_EQ(sources.next(everywhere)->node, 2);
  EXPECT_EQ(sources.next(everywhere)->node, 0);
}

TEST(SourceSet, ASourceIsPulledByOneThreadAndOnlyWhereThereIsRoom) {
  SourceSet sources;
  sources.add(0, no_source);
  sources.add(1, no_source);
  auto* first = sources.next(everywhere);
  first->busy = true;
  const auto only_zero = [](const SourceSet::Entry& entry) {
    return entry.has_something() && entry.node == 0;
  };
  EXPECT_FALSE(sources.ready(only_zero));
  EXPECT_EQ(sources.next(only_zero), nullptr);
  EXPECT_TRUE(sources.ready(everywhere));
  first->busy = false;
  EXPECT_EQ(sources.next(only_zero), first);
}

TEST(SourceSet, WaitingForThoseSoFarIsOverWhenTheyAreGoneWhateverCameLater) {
  SourceSet sources;
  sources.add(0, no_source);
  const auto mine = sources.next_number();
  sources.add(1, no_source);
  EXPECT_FALSE(sources.ended_before(mine));
  sources.remove(sources.next(everywhere));
  EXPECT_TRUE(sources.ended_before(mine));
  EXPECT_FALSE(sources.ended_before(sources.next_number()));
}

TEST(SourceSet, ClosingLeavesOnlyThoseThatAreBeingPulled) {
  SourceSet sources;
  sources.add(0, no_source);
  sources.add(1, no_source);
  auto* pulled = sources.next(everywhere);
  pulled->busy = true;
  sources.remove_idle();
  EXPECT_FALSE(sources.empty());
  sources.remove(pulled);
  EXPECT_TRUE(sources.empty());
}

}  // namespace
}  // namespace espalier::pipeline::internal
