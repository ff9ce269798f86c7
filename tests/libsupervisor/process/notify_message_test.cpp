#include "espalier/supervisor/process/notify_message.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

TEST(NotifyMessage, ReadsSeveralAssignmentsOfOneDatagram) {
  const auto message = parse_notify_message("READY=1\nSTATUS=up = fine\nWATCHDOG=1\n");
  EXPECT_TRUE(message.ready);
  EXPECT_TRUE(message.alive);
  EXPECT_FALSE(message.unhealthy);
  EXPECT_EQ(message.status, "up = fine");
}

TEST(NotifyMessage, TriggerIsNoSignOfLife) {
  const auto message = parse_notify_message("WATCHDOG=trigger");
  EXPECT_TRUE(message.unhealthy);
  EXPECT_FALSE(message.alive);
}

TEST(NotifyMessage, ExtendIsInMicroseconds) {
  const auto message = parse_notify_message("EXTEND_TIMEOUT_USEC=1500000");
  EXPECT_EQ(message.extend, Duration{std::chrono::milliseconds{1500}});
}

TEST(NotifyMessage, AHugeExtensionIsTheLongestThereIs) {
  const auto message = parse_notify_message("EXTEND_TIMEOUT_USEC=18446744073709551615");
  EXPECT_EQ(message.extend, Duration::max());
}

TEST(NotifyMessage, PassesOverWhatItDoesNotKnow) {
  for (const auto* text : {"", "\n\n", "READY", "READY=0", "MAINPID=1", "EXTEND_TIMEOUT_USEC=-1",
                           "EXTEND_TIMEOUT_USEC=5s", "ready=1"}) {
    const auto message = parse_notify_message(text);
    EXPECT_FALSE(message.ready || message.alive || message.extend || message.status) << text;
  }
}

}  // namespace
}  // namespace espalier::supervisor
