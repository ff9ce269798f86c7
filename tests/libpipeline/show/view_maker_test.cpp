#include "espalier/pipeline/show/view_maker.hpp"

#include <gtest/gtest.h>

namespace espalier::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

PipelineSnapshot snapshot(Duration at, std::uint64_t accepted, std::uint64_t succeeded) {
  PipelineSnapshot out;
  out.at = TimePoint{} + at;
  out.counts.accepted = accepted;
  out.counts.succeeded = succeeded;
  return out;
}

TEST(ViewMaker, DoneIsWhateverHasEnded) {
  DashboardView view;
  view.snapshot.counts = {
      .accepted = 20, .succeeded = 4, .failed = 3, .skipped = 2, .cancelled = 1};
  EXPECT_EQ(view.done(), 10u);
}

TEST(ViewMaker, RateIsOfTheLastSecondsAndTellsWhatIsLeft) {
  ViewMaker maker(1000);
  EXPECT_EQ(maker.view(snapshot(seconds(0), 10, 0)).rate, 0);
  EXPECT_FALSE(maker.view(snapshot(seconds(0), 10, 0)).eta);
  for (int i = 1; i <= 10; ++i)
    static_cast<void>(maker.view(snapshot(seconds(i), 500, 10)));
  // Ten seconds at 1/s, then five at 20/s.
  DashboardView view;
  for (int i = 1; i <= 5; ++i)
    view = maker.view(snapshot(seconds(10 + i), 500, 10 + 20 * static_cast<std::uint64_t>(i)));
  EXPECT_DOUBLE_EQ(view.rate, 20);
  EXPECT_EQ(view.elapsed, Duration(seconds(15)));
  EXPECT_EQ(view.eta, Duration(milliseconds(44'500)));
}

TEST(ViewMaker, TheLastViewTellsTheRateOfAllTime) {
  ViewMaker maker(100);
  static_cast<void>(maker.view(snapshot(seconds(0), 0, 0)));
  static_cast<void>(maker.view(snapshot(seconds(49), 100, 1)));
  const DashboardView last = maker.last_view(snapshot(seconds(50), 100, 100));
  EXPECT_DOUBLE_EQ(last.rate, 2);
  EXPECT_FALSE(last.eta);
}

TEST(ViewMaker, WithoutATotalNothingIsLeftToTell) {
  ViewMaker maker(std::nullopt);
  static_cast<void>(maker.view(snapshot(seconds(0), 0, 0)));
  const DashboardView view = maker.view(snapshot(seconds(1), 10, 10));
  EXPECT_DOUBLE_EQ(view.rate, 10);
  EXPECT_FALSE(view.eta);
  EXPECT_FALSE(view.total);
}

TEST(ViewMaker, AnotherRunBeginsAnew) {
  ViewMaker maker(std::nullopt);
  static_cast<void>(maker.view(snapshot(seconds(0), 0, 0)));
  static_cast<void>(maker.view(snapshot(seconds(1), 500, 500)));
  static_cast<void>(maker.view(snapshot(seconds(2), 0, 0)));
  const DashboardView view = maker.view(snapshot(seconds(3), 7, 7));
  EXPECT_DOUBLE_EQ(view.rate, 7);
  EXPECT_EQ(view.elapsed, Duration(seconds(1)));
}

TEST(ViewMaker, APipelineThatHardlyMovesStillHasATime) {
  ViewMaker maker(std::uint64_t{1} << 63U);
  static_cast<void>(maker.view(snapshot(seconds(0), 1, 0)));
  const DashboardView view = maker.view(snapshot(seconds(5), 1, 1));
  EXPECT_EQ(view.eta, Duration(std::chrono::hours{24 * 365}));
}

}  // namespace
}  // namespace espalier::pipeline
