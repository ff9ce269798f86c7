#include "espalier/pipeline/core/internal/item_queue.hpp"

#include "libpipeline/core/support/chunks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace espalier::pipeline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ItemQueueTest : public ::testing::Test {
 protected:
  ChunkPool pool_;
  ItemQueue queue_{pool_};
};

std::vector<ItemSeq> range(ItemSeq first, std::size_t count) {
  std::vector<ItemSeq> seqs(count);
  std::iota(seqs.begin(), seqs.end(), first);
  return seqs;
}

TEST_F(ItemQueueTest, AWholeChunkComesOutAsItCameIn) {
  auto chunk = chunk_of(range(0, 100));
  const auto* same = chunk.get();
  queue_.push(std::move(chunk), at(0));
  EXPECT_EQ(queue_.size(), 100u);
  EXPECT_EQ(queue_.take(256).get(), same);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ItemQueueTest, LowerPriorityFirstThenAsTheyCame) {
  queue_.push(chunk_of({0, 1}, 5), at(0));
  queue_.push(chunk_of({2}, 1), at(1));
  queue_.push(chunk_of({3}, 5), at(2));
  EXPECT_EQ(queue_.front().seq, 2u);
  EXPECT_THAT(seqs_of(queue_.take(10)), ElementsAre(2));
  EXPECT_THAT(seqs_of(queue_.take(10)), ElementsAre(0, 1, 3));
}

TEST_F(ItemQueueTest, TakesAtMostSoManyFromSeveralChunks) {
  queue_.push(chunk_of(range(0, 60)), at(0));
  queue_.push(chunk_of(range(60, 60)), at(1));
  EXPECT_EQ(seqs_of(queue_.take(50)), range(0, 50));
  EXPECT_EQ(seqs_of(queue_.take(50)), range(50, 50));
  EXPECT_EQ(queue_.size(), 20u);
  EXPECT_EQ(seqs_of(queue_.take(50)), range(100, 20));
}

TEST_F(ItemQueueTest, WithAgingAnOldItemOvertakesAnUrgentOne) {
  queue_.set(std::chrono::milliseconds{10}, false);
  queue_.push(chunk_of({0}, 3), at(0));
  queue_.push(chunk_of({1}, 1), at(19));
  queue_.push(chunk_of({2}, 1), at(21));
  EXPECT_THAT(seqs_of(queue_.take(1)), ElementsAre(1));  // Due at 29; the old one at 30,
  EXPECT_THAT(seqs_of(queue_.take(1)), ElementsAre(0));  // and the other at 31.
  EXPECT_THAT(seqs_of(queue_.take(1)), ElementsAre(2));
}

TEST_F(ItemQueueTest, ByArrivalPrioritiesDoNotCount) {
  queue_.set({}, true);
  queue_.push(chunk_of({0}, 9), at(0));
  queue_.push(chunk_of({1}, 1), at(0));
  EXPECT_THAT(seqs_of(queue_.take(9)), ElementsAre(0, 1));
}

TEST_F(ItemQueueTest, TheOldestIsTheOneThatCameFirstWhateverItsPriority) {
  queue_.push(chunk_of(range(0, 40), 9), at(0));
  queue_.push(chunk_of({50}, 1), at(1));
  EXPECT_EQ(queue_.take_oldest().seq, 0u);
  EXPECT_EQ(queue_.take_oldest().seq, 1u);
  EXPECT_EQ(queue_.size(), 39u);
}

TEST_F(ItemQueueTest, ASweepTakesTheWantedAndLeavesTheRestInOrder) {
  queue_.push(chunk_of(range(0, 40)), at(0));
  static_cast<void>(queue_.take(2));
  std::vector<ItemSeq> gone;
  queue_.take_all([](const Item& i) { return i.seq % 2 == 0; },
                  [&](Item i) { gone.push_back(i.seq); });
  EXPECT_EQ(gone.size(), 19u);
  EXPECT_EQ(queue_.size(), 19u);
  EXPECT_THAT(seqs_of(queue_.take(3)), ElementsAre(3, 5, 7));
}

TEST_F(ItemQueueTest, OneItemCanBePickedFromTheMiddle) {
  queue_.push(chunk_of({0, 1, 2}), at(0));
  const auto wanted = [](const Item& i) { return i.seq == 1; };
  EXPECT_TRUE(queue_.has(wanted));
  EXPECT_THAT(seqs_of(queue_.take_first(wanted)), ElementsAre(1));
  EXPECT_FALSE(queue_.has(wanted));
  EXPECT_FALSE(queue_.take_first(wanted));
  EXPECT_THAT(seqs_of(queue_.take(9)), ElementsAre(0, 2));
}

}  // namespace
}  // namespace espalier::pipeline::testing
