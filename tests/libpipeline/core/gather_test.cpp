#include "espalier/pipeline/core/internal/gather.hpp"

#include "libpipeline/core/support/chunks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GatherTest : public ::testing::Test {
 protected:
  Gather& batch(const BatchOptions& options) {
    plan_.kind = NodeKind::batch;
    plan_.batch = options;
    plan_.size_of = [](const Value& v) { return static_cast<std::size_t>(v.as<int>()); };
    return gather_.emplace(plan_);
  }
  Gather& window(const WindowOptions& options) {
    plan_.kind = NodeKind::window;
    plan_.window = options;
    return gather_.emplace(plan_);
  }
  bool push(ItemSeq seq, TimePoint now = at(0)) {
    auto item = item_of(seq);
    return gather_->push(item, now);
  }
  std::vector<ItemSeq> take(TimePoint now = at(0), bool no_more = false) {
    taken_.clear();
    refused_.clear();
    gather_->take(now, no_more, taken_, refused_);
    return seqs_of(taken_);
  }
  NodePlan plan_ = {};
  std::optional<Gather> gather_ = {};
  std::vector<Item> taken_ = {};
  std::vector<Item> refused_ = {};
};

TEST_F(GatherTest, ABatchIsFullByCount) {
  auto& gather = batch({.count = 2});
  push(0);
  EXPECT_EQ(gather.ready(at(0), false), 0u);
  push(1);
  push(2);
  EXPECT_EQ(gather.ready(at(0), false), 2u);
  EXPECT_THAT(take(), ElementsAre(0, 1));
  EXPECT_EQ(gather.ready(at(0), false), 0u);
  EXPECT_EQ(gather.ready(at(0), true), 1u);
  EXPECT_THAT(take(at(0), true), ElementsAre(2));
  EXPECT_EQ(gather.ready(at(0), true), 0u);
}

TEST_F(GatherTest, ABatchIsFullByBytes) {
  auto& gather = batch({.bytes = 10});
  push(4);
  push(5);
  EXPECT_EQ(gather.ready(at(0), false), 0u);
  push(3);
  push(20);
  EXPECT_THAT(take(), ElementsAre(4, 5, 3));
  EXPECT_THAT(take(), ElementsAre(20));
}

TEST_F(GatherTest, ABatchIsOverSomeTimeAfterItsFirstItem) {
  auto& gather = batch({.count = 9, .time = milliseconds{10}});
  EXPECT_FALSE(gather.next());
  push(0, at(0));
  push(1, at(9));
  EXPECT_EQ(gather.next(), at(10));
  EXPECT_EQ(gather.ready(at(9), false), 0u);
  EXPECT_THAT(take(at(10)), ElementsAre(0, 1));
}

TEST_F(GatherTest, WindowsThatFollowEachOther) {
  window({.size = 2});
  for (ItemSeq seq = 0; seq < 5; ++seq)
    push(seq);
  EXPECT_THAT(take(), ElementsAre(0, 1));
  EXPECT_THAT(take(), ElementsAre(2, 3));
  EXPECT_THAT(take(at(0), true), ElementsAre(4));
}

TEST_F(GatherTest, WindowsThatOverlapCopyWhatStays) {
  auto& gather = window({.size = 3, .step = 1});
  for (ItemSeq seq = 0; seq < 4; ++seq)
    push(seq);
  EXPECT_THAT(take(), ElementsAre(0, 1, 2));
  ASSERT_TRUE(taken_[1].info);
  EXPECT_FALSE(taken_[0].info) << "it left with its only window";
  EXPECT_EQ(taken_[1].info->open_parts, 2u);
  EXPECT_EQ(taken_[1].value.as<int>(), 1);
  EXPECT_EQ(taken_[1].part, 1u);
  EXPECT_THAT(take(), ElementsAre(1, 2, 3));
  EXPECT_EQ(taken_[0].part, 0u);
  EXPECT_EQ(taken_[1].info->open_parts, 3u);
  EXPECT_EQ(gather.ready(at(0), true), 0u) << "all were in a window";
  EXPECT_THAT(seqs_of(gather.take_rest()), ElementsAre(2, 3));
}

TEST_F(GatherTest, ItemsBetweenWindowsAreLeftOut) {
  window({.size = 1, .step = 3});
  EXPECT_TRUE(push(0));
  EXPECT_THAT(take(), ElementsAre(0));
  EXPECT_FALSE(push(1));
  EXPECT_FALSE(push(2));
  EXPECT_TRUE(push(3));
  EXPECT_TRUE(push(4));  // Came before anybody took the window before.
  EXPECT_THAT(take(), ElementsAre(3));
  EXPECT_THAT(seqs_of(refused_), ElementsAre(4));
  EXPECT_EQ(refused_[0].verdict, Verdict::skip);
  EXPECT_FALSE(push(5));
  EXPECT_TRUE(push(6));
}

TEST_F(GatherTest, WindowsByTimeHoldWhatCameWithinThem) {
  auto& gather = window({.time = milliseconds{10}});
  push(0, at(0));
  push(1, at(9));
  EXPECT_EQ(gather.ready(at(9), false), 0u);
  push(2, at(10));
  EXPECT_THAT(take(at(10)), ElementsAre(0, 1));
  EXPECT_EQ(gather.next(), at(20));
  EXPECT_THAT(take(at(20)), ElementsAre(2));
}

TEST_F(GatherTest, WhatCannotBeCopiedIsRefused) {
  struct OnlyMoves {
    std::unique_ptr<int> held = {};
  };
  window({.size = 2, .step = 1});
  for (ItemSeq seq = 0; seq < 2; ++seq) {
    auto item = item_of(seq);
    item.value = Value::of<OnlyMoves>();
    ASSERT_TRUE(gather_->push(item, at(0)));
  }
  EXPECT_THAT(take(), ElementsAre(0));
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].failure->kind, Failure::Kind::refused);
  EXPECT_THAT(refused_[0].failure->message, ::testing::HasSubstr("copied"));
}

TEST_F(GatherTest, TheOldestAndTheWantedCanBeTakenOut) {
  auto& gather = batch({.count = 3});
  for (ItemSeq seq = 0; seq < 4; ++seq)
    push(seq);
  EXPECT_EQ(gather.take_oldest().seq, 0u);
  EXPECT_EQ(gather.ready(at(0), false), 3u);
  std::vector<ItemSeq> gone;
  gather.take_all([](const Item& i) { return i.seq == 2; }, [&](Item i) { gone.push_back(i.seq); });
  EXPECT_THAT(gone, ElementsAre(2));
  EXPECT_EQ(gather.ready(at(0), false), 0u);
  EXPECT_THAT(take(at(0), true), ElementsAre(1, 3));
}

}  // namespace
}  // namespace espalier::pipeline::testing
