#include "espalier/supervisor/core/backpressure.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using Level = Backpressure::Level;
using Take = Backpressure::Take;

TimePoint at(Duration since) {
  return TimePoint{since};
}

TEST(Backpressure, AlertsOnceAtEachThreshold) {
  Backpressure gate{{}};
  EXPECT_FALSE(gate.offer(79, 100, at(0s)).alert);
  const auto warn = gate.offer(80, 100, at(0s)).alert;
  ASSERT_TRUE(warn);
  EXPECT_EQ(warn->level, Level::warn);
  EXPECT_EQ(warn->fill_pct, 80u);
  EXPECT_FALSE(gate.offer(94, 100, at(0s)).alert);
  EXPECT_EQ(gate.offer(95, 100, at(0s)).alert.value().level, Level::critical);
  EXPECT_FALSE(gate.offer(100, 100, at(0s)).alert);
}

TEST(Backpressure, IsRecoveredAtHalfOfTheFirstThreshold) {
  Backpressure gate{{}};
  static_cast<void>(gate.offer(80, 100, at(0s)));
  EXPECT_FALSE(gate.offer(40, 100, at(1s)).alert);
  EXPECT_EQ(gate.offer(39, 100, at(1s)).alert.value().level, Level::normal);
  EXPECT_FALSE(gate.offer(39, 100, at(1s)).alert);
}

TEST(Backpressure, OneThatFallsBackSoonIsNotToldAgain) {
  Backpressure gate{{.window = 30s}};
  EXPECT_TRUE(gate.offer(80, 100, at(0s)).alert);
  EXPECT_TRUE(gate.offer(0, 100, at(1s)).alert);
  EXPECT_FALSE(gate.offer(80, 100, at(29s)).alert);
  EXPECT_FALSE(gate.offer(0, 100, at(29s)).alert) << "nobody was told that it was slow";
  EXPECT_TRUE(gate.offer(80, 100, at(30s)).alert);
}

TEST(Backpressure, BlocksFromTheCriticalThresholdUntilBelowTheFirst) {
  Backpressure gate{{}};
  EXPECT_EQ(gate.offer(94, 100, at(0s)).take, Take::keep);
  EXPECT_EQ(gate.offer(95, 100, at(0s)).take, Take::block);
  EXPECT_TRUE(gate.is_limiting());
  EXPECT_EQ(gate.offer(80, 100, at(0s)).take, Take::block);
  EXPECT_EQ(gate.offer(79, 100, at(0s)).take, Take::keep);
  EXPECT_FALSE(gate.is_limiting());
}

TEST(Backpressure, KeepsTheRatioThatWasAskedFor) {
  Backpressure gate{{.strategy = BackpressureStrategy::sample_and_audit, .sample_ratio = 0.1}};
  int kept = 0;
  for (int i = 0; i < 1000; ++i)
    kept += gate.offer(99, 100, at(0s)).take == Take::keep ? 1 : 0;
  EXPECT_NEAR(kept, 100, 1);
  EXPECT_EQ(gate.offer(10, 100, at(0s)).take, Take::keep);
}

TEST(Backpressure, AReaderWithoutRoomIsFull) {
  Backpressure gate{{}};
  EXPECT_FALSE(gate.offer(0, 0, at(0s)).alert);
  EXPECT_EQ(gate.offer(7, 0, at(0s)).alert.value().fill_pct, 100u);
}

}  // namespace
}  // namespace espalier::supervisor
