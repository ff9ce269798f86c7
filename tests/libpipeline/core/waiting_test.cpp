#include "espalier/pipeline/core/internal/key_gate.hpp"
#include "espalier/pipeline/core/internal/outputs.hpp"
#include "espalier/pipeline/core/internal/rate_limiter.hpp"
#include "espalier/pipeline/core/internal/retry_heap.hpp"
#include "espalier/pipeline/core/internal/seq_window.hpp"
#include "libpipeline/core/support/chunks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace espalier::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KeyGate, LetsOneOfAKeyInAndTheNextWhenItLeaves) {
  KeyGate gate;
  auto a = item_of(0), b = item_of(1), other = item_of(2), c = item_of(3);
  EXPECT_TRUE(gate.enter(7, a));
  EXPECT_FALSE(gate.enter(7, b));
  EXPECT_TRUE(gate.enter(8, other));
  EXPECT_FALSE(gate.enter(7, c));
  EXPECT_EQ(gate.size(), 2u);
  EXPECT_EQ(gate.holder_before(3)->seq, 0u);
  EXPECT_FALSE(gate.holder_before(0));
  EXPECT_EQ(gate.leave(a)->seq, 1u);
  EXPECT_FALSE(gate.leave(other));
  auto left = item_of(1);
  EXPECT_EQ(gate.leave(left)->seq, 3u);
  EXPECT_FALSE(gate.leave(item_of(3)));
  EXPECT_EQ(gate.size(), 0u);
  auto again = item_of(9);
  EXPECT_TRUE(gate.enter(7, again));
}

TEST(KeyGate, WhoDoesNotHoldAKeyLeavesNothing) {
  KeyGate gate;
  auto a = item_of(0), b = item_of(1);
  EXPECT_TRUE(gate.enter(7, a));
  EXPECT_FALSE(gate.enter(7, b));
  EXPECT_FALSE(gate.leave(item_of(1)));
  EXPECT_EQ(gate.take_oldest()->seq, 1u);
  EXPECT_FALSE(gate.take_oldest());
  EXPECT_FALSE(gate.leave(a));
}

TEST(RetryHeap, GivesWhatIsDueFirstAndOfOneInstantWhatCameFirst) {
  RetryHeap heap;
  heap.push(at(5), 1, 0, item_of(0));
  heap.push(at(3), 1, 0, item_of(1));
  heap.push(at(3), 2, 9, item_of(2));
  EXPECT_EQ(heap.next(), at(3));
  EXPECT_FALSE(heap.pop_due(at(2)));
  EXPECT_EQ(heap.pop_due(at(3))->item.seq, 1u);
  const auto second = heap.pop_due(at(3));
  EXPECT_EQ(second->item.seq, 2u);
  EXPECT_EQ(second->node, 2);
  EXPECT_EQ(second->group, 9u);
  EXPECT_FALSE(heap.pop_due(at(4)));
  EXPECT_EQ(heap.size(), 1u);
}

TEST(RetryHeap, ASweepKeepsTheRestInOrder) {
  RetryHeap heap;
  for (ItemSeq seq = 0; seq < 20; ++seq) {
    heap.push(at(static_cast<int>((seq * 7) % 20)), 0, 0, item_of(seq));
  }
  std::vector<ItemSeq> gone;
  heap.take_all([](const RetryHeap::Waiting& w) { return w.item.seq % 2 == 0; },
                [&](RetryHeap::Waiting w) { gone.push_back(w.item.seq); });
  EXPECT_EQ(gone.size(), 10u);
  int last = -1;
  while (auto due = heap.pop_due(at(99))) {
    EXPECT_EQ(due->item.seq % 2, 1u);
    const auto when = static_cast<int>((due->item.seq * 7) % 20);
    EXPECT_GT(when, last);
    last = when;
  }
}

TEST(RateLimiter, BurstThenOneTokenAfterTheOther) {
  RateLimiter rate({.per_second = 100, .burst = 3});
  EXPECT_EQ(rate.available(at(0)), 3u);
  rate.take(3);
  EXPECT_EQ(rate.available(at(0)), 0u);
  EXPECT_EQ(rate.next(at(0)), at(10));
  EXPECT_EQ(rate.available(at(9)), 0u);
  EXPECT_EQ(rate.available(at(10)), 1u);
  EXPECT_EQ(rate.available(at(1000)), 3u);
}

TEST(RateLimiter, OverALongTimeTheRateIsExact) {
  RateLimiter rate({.per_second = 333, .burst = 1});
  std::size_t taken = 0;
  auto now = at(0);
  while (now < at(10'000)) {
    if (rate.available(now) > 0) {
      rate.take(1);
      ++taken;
    } else {
      const auto next = rate.next(now);
      ASSERT_GT(next, now);
      now = next;
    }
  }
  EXPECT_NEAR(static_cast<double>(taken), 3330.0, 2.0);
}

TEST(SeqWindow, KnowsTheOldestThatHasNotEnded) {
  SeqWindow window;
  window.end(1);
  EXPECT_EQ(window.oldest(), 0u);
  EXPECT_TRUE(window.ended(1));
  EXPECT_FALSE(window.ended(2));
  window.end(0);
  EXPECT_EQ(window.oldest(), 2u);
  window.reset();
  EXPECT_FALSE(window.ended(0));
}

TEST(SeqWindow, AgreesWithASetWhateverEndsWhen) {
  std::mt19937_64 random{3};
  SeqWindow window;
  std::set<ItemSeq> open;
  ItemSeq next = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (open.size() < 3000 && random() % 2 == 0) {
      open.insert(next++);
    } else if (!open.empty()) {
      auto at = open.lower_bound(*open.begin() + random() % 2500);
      if (at == open.end()) at = open.begin();
      window.end(*at);
      open.erase(at);
    }
    ASSERT_EQ(window.oldest(), open.empty() ? next : *open.begin());
    if (next > 0) {
      const auto any = random() % next;
      ASSERT_EQ(window.ended(any), !open.contains(any));
    }
  }
}

TEST(Outputs, ReservedPlacesCount) {
  ChunkPool pool;
  Outputs outputs(pool, 4, true, false);
  outputs.reserved = 1;
  outputs.push(chunk_of({5, 2}));
  EXPECT_EQ(outputs.room(), 1u);
  EXPECT_THAT(seqs_of(outputs.take()), ElementsAre(5, 2));
  EXPECT_EQ(outputs.room(), 3u);
  EXPECT_FALSE(outputs.take());
}

TEST(Outputs, InOrderWhatIsHeldIsNotReadyAndNamesWhatIsMissing) {
  ChunkPool pool;
  Outputs outputs(pool, 2, true, true);
  outputs.push(chunk_of({1, 2}));
  EXPECT_FALSE(outputs.take());
  EXPECT_EQ(outputs.missing(), 0u);
  EXPECT_EQ(outputs.room(), 0u);
  EXPECT_FALSE(outputs.full_of_ready());
  outputs.close(0);
  EXPECT_TRUE(outputs.full_of_ready());
  EXPECT_FALSE(outputs.missing());
  EXPECT_THAT(seqs_of(outputs.take()), ElementsAre(1, 2));
}

TEST(Outputs, ThoseWithoutAValueAreBoundedToo) {
  ChunkPool pool;
  Outputs outputs(pool, 2, true, false);
  auto failed = chunk_of({0, 1});
  for (auto& item : failed->items)
    item.verdict = Verdict::fail;
  outputs.push(std::move(failed));
  EXPECT_TRUE(outputs.overrun());
  static_cast<void>(outputs.take());
  EXPECT_FALSE(outputs.overrun());
}

TEST(Outputs, KeepsNothingWhenNobodyWantsResults) {
  ChunkPool pool;
  Outputs outputs(pool, 1, false, true);
  outputs.push(chunk_of({4, 5}));
  EXPECT_EQ(outputs.waiting(), 0u);
  EXPECT_GT(outputs.room(), 1000u);
}

}  // namespace
}  // namespace espalier::pipeline::testing
