#include "espalier/pipeline/track/error_summary.hpp"

#include "libpipeline/track/tracked.hpp"

#include <gtest/gtest.h>

namespace espalier::pipeline {
namespace {

class ErrorsTest : public testing::Test {
 protected:
  void SetUp() override { tracker_.on_start(two_stages()); }
  void fail(NodeId node, ItemSeq seq, const std::string& text, const std::string& type) {
    tracker_.on_events(
        {when(seconds(1), with_error(text, type, 3, status(Status::failed, node, seq)))});
  }

  ManualTime time_;
  StatusTracker tracker_{time_.options()};
};

TEST_F(ErrorsTest, NothingFailed) {
  tracker_.on_events(whole_way(0, 4));
  const ErrorSummary summary = tracker_.get_error_summary();
  EXPECT_EQ(summary.total_failed, 0u);
  EXPECT_TRUE(summary.by_type.empty());
  EXPECT_TRUE(summary.by_stage.empty());
  EXPECT_TRUE(summary.items.empty());
  EXPECT_EQ(to_string(summary), "No errors occurred");
}

// B19: types were guessed from the text before a colon, attempts were always 1.
TEST_F(ErrorsTest, TypesAndAttemptsAreTheRealOnes) {
  fail(0, 0, "Error for 0", "std::invalid_argument");
  fail(0, 1, "Connection: refused", "std::runtime_error");
  const auto items = tracker_.get_failed_items();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].item, "0");
  EXPECT_EQ(items[0].error, "Error for 0");
  EXPECT_EQ(items[0].error_type, "std::invalid_argument");
  EXPECT_EQ(items[0].attempts, 3u);
  EXPECT_EQ(items[0].stage, "fetch");
  EXPECT_EQ(items[0].at, at(seconds(1)));
  EXPECT_EQ(items[1].error_type, "std::runtime_error");
}

TEST_F(ErrorsTest, SummaryCountsByTypeAndStageMostFrequentFirst) {
  fail(0, 0, "a", "A");
  fail(1, 1, "b", "B");
  fail(1, 2, "b", "B");
  tracker_.on_events(whole_way(3, 3));
  const ErrorSummary summary = tracker_.get_error_summary();
  EXPECT_EQ(summary.total_failed, 3u);
  EXPECT_EQ(summary.by_stage.at("parse"), 2u);
  EXPECT_EQ(summary.items.size(), 3u);
  EXPECT_EQ(to_string(summary),
            "Failed items: 3\n"
            "By type:\n"
            "  B: 2\n"
            "  A: 1\n"
            "By stage:\n"
            "  parse: 2\n"
            "  fetch: 1");
}

TEST_F(ErrorsTest, NumbersCountAlsoWhatIsNoLongerKept) {
  auto options = time_.options();
  options.history.failed = 2;
  StatusTracker tracker(options);
  for (ItemSeq seq = 0; seq < 5; ++seq)
    tracker.on_events({with_error("x", "", 1, status(Status::failed, 0, seq))});
  const ErrorSummary summary = tracker.get_error_summary();
  EXPECT_EQ(summary.total_failed, 5u);
  EXPECT_EQ(summary.by_type.at("unknown"), 5u);
  ASSERT_EQ(summary.items.size(), 2u);
  EXPECT_EQ(summary.items[0].item, "3");
  EXPECT_EQ(tracker.get_failed_items(1)[0].item, "4");
}

TEST_F(ErrorsTest, CancelledItemsAreNoErrors) {
  tracker_.on_events({with_error("stop", "", 0, status(Status::cancelled, 0, 0))});
  EXPECT_EQ(tracker_.get_error_summary().total_failed, 0u);
  EXPECT_EQ(tracker_.get_status("0")->error, "stop");
}

TEST(ErrorSummaryOfASnapshot, KnowsTotalAndStagesWithoutATracker) {
  PipelineSnapshot snapshot;
  snapshot.counts.failed = 3;
  snapshot.stages = {{.name = "fetch"}, {.name = "parse", .failed = 3}};
  const ErrorSummary summary = error_summary_of(snapshot);
  EXPECT_EQ(summary.total_failed, 3u);
  EXPECT_EQ(summary.by_stage, (std::map<std::string, std::uint64_t>{{"parse", 3}}));
  EXPECT_TRUE(summary.by_type.empty());
  EXPECT_TRUE(summary.items.empty());
}

}  // namespace
}  // namespace espalier::pipeline
