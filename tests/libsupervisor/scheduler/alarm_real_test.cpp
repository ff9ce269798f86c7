#include "espalier/supervisor/scheduler/alarm.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Alarm, RingsNotBeforeItsTime) {
  Alarm alarm;
  const auto due = Clock::now() + 20ms;
  alarm.set(due);
  alarm.wait();
  EXPECT_GE(Clock::now(), due);
}

TEST(Alarm, ATimeThatIsPastRingsAtOnce) {
  Alarm alarm;
  alarm.set(Clock::now() - 1h);
  alarm.wait();
  alarm.set(Clock::time_point{});
  alarm.wait();
}

TEST(Alarm, OnlyTheLastTimeCounts) {
  Alarm alarm;
  alarm.set(Clock::now() + 1h);
  const auto due = Clock::now() + 10ms;
  alarm.set(due);
  alarm.wait();
  EXPECT_GE(Clock::now(), due);
}

TEST(Alarm, IsSetWhileItsThreadWaits) {
  Alarm alarm;
  alarm.set(Clock::now() + 1h);
  std::thread sleeper{[&] { alarm.wait(); }};
  std::this_thread::sleep_for(10ms);
  alarm.set(Clock::now());
  sleeper.join();
}

}  // namespace
}  // namespace espalier::supervisor::testing
