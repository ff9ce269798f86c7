#include "espalier/pipeline/core/internal/resequencer.hpp"

#include "libpipeline/core/support/chunks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ResequencerTest : public ::testing::Test {
 protected:
  std::vector<ItemSeq> released() {
    std::vector<ItemSeq> all;
    while (auto chunk = order_.release()) {
      for (const auto seq : seqs_of(chunk))
        all.push_back(seq);
    }
    return all;
  }
  ChunkPool pool_;
  Resequencer order_{pool_};
};

TEST_F(ResequencerTest, HoldsWhatIsTooEarly) {
  order_.push(chunk_of({2, 3}));
  EXPECT_THAT(released(), IsEmpty());
  EXPECT_EQ(order_.size(), 2u);
  order_.push(chunk_of({0, 1}));
  EXPECT_THAT(released(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(order_.size(), 0u);
}

TEST_F(ResequencerTest, DoesNotWaitForWhatIsClosed) {
  order_.push(chunk_of({3}));
  order_.close(0, 2);
  EXPECT_THAT(released(), IsEmpty());
  order_.close(2, 1);
  EXPECT_THAT(released(), ElementsAre(3));
  order_.close(1, 2);  // Too late to mean anything.
  order_.push(chunk_of({4}));
  EXPECT_THAT(released(), ElementsAre(4));
}

TEST_F(ResequencerTest, AChunkWithHolesAndInAnyOrderIsTakenApart) {
  order_.push(chunk_of({3, 1, 2, 6}));
  order_.push(chunk_of({0, 4, 5}));
  EXPECT_THAT(released(), ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

// The ends of the chunk alone look like a run.
TEST_F(ResequencerTest, IsNotFooledByEndsThatFit) {
  order_.push(chunk_of({1, 0, 3}));
  EXPECT_THAT(released(), ElementsAre(0, 1));
  order_.push(chunk_of({2}));
  EXPECT_THAT(released(), ElementsAre(2, 3));
}

TEST_F(ResequencerTest, WhatIsNextMayPassWithoutStopping) {
  EXPECT_TRUE(order_.pass(0, 3));
  EXPECT_FALSE(order_.pass(4, 1));
  order_.push(chunk_of({5}));
  EXPECT_TRUE(order_.pass(3, 2));
  EXPECT_THAT(released(), ElementsAre(5));
}

TEST_F(ResequencerTest, ForASweepAllThatIsHeldComesOutAndMayGoBack) {
  order_.push(chunk_of({1}));
  order_.push(chunk_of({3}));
  auto held = order_.take_all();
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(order_.size(), 0u);
  for (auto& chunk : held) {
    if (chunk->items.front().seq == 3) order_.push(std::move(chunk));
  }
  order_.close(1, 1);
  order_.close(0, 1);
  order_.close(2, 1);
  EXPECT_THAT(released(), ElementsAre(3));
}

TEST_F(ResequencerTest, AnyArrivalGivesTheSameOrder) {
  std::mt19937 random{7};
  for (int round = 0; round < 200; ++round) {
    order_.reset();
    std::vector<ItemSeq> arrivals(40);
    for (ItemSeq i = 0; i < 40; ++i)
      arrivals[i] = i;
    std::shuffle(arrivals.begin(), arrivals.end(), random);
    std::vector<ItemSeq> expected, seen;
    for (const auto seq : arrivals) {
      if (random() % 4 == 0) {
        order_.close(seq, 1);
      } else {
        order_.push(chunk_of({seq}));
        expected.push_back(seq);
      }
      for (const auto out : released())
        seen.push_back(out);
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(seen, expected);
  }
}

}  // namespace
}  // namespace espalier::pipeline::testing
