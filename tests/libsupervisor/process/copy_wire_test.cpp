#include "espalier/supervisor/process/copy_wire.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <random>

namespace espalier::supervisor::testing {
namespace {

using ::testing::HasSubstr;

template <class Message>
Message sent_and_read(const Message& message) {
  const auto read = wire::parse_from_copy(wire::encode(message));
  if (!read || !std::holds_alternative<Message>(*read)) {
    ADD_FAILURE() << "not read: " << wire::encode(message);
    return {};
  }
  return std::get<Message>(*read);
}

TEST(CopyWire, ACallComesThroughWhateverBytesItsParamsHave) {
  CopyCall call{.factory = "decode", .path = "/a/b", .generation = 7, .attempt = 3};
  call.heartbeat_interval = std::chrono::milliseconds{1500};
  call.params = {{"", "empty"}, {"newline\n", "5:a,\n"}, {"nul", std::string{"\0x\0", 3}}};
  const auto read = wire::parse_call(wire::encode(call));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->factory, "decode");
  EXPECT_EQ(read->path, "/a/b");
  EXPECT_EQ(read->generation, 7U);
  EXPECT_EQ(read->attempt, 3U);
  EXPECT_EQ(read->heartbeat_interval, std::chrono::milliseconds{1500});
  EXPECT_EQ(read->params, call.params);
}

TEST(CopyWire, EveryReportComesThrough) {
  sent_and_read(wire::Running{});
  sent_and_read(wire::Ready{});
  sent_and_read(wire::Alive{});
  EXPECT_EQ(sent_and_read(wire::Status{"50,% : done"}).text, "50,% : done");
  const auto asks = sent_and_read(wire::Asks{input::Wish::shutdown, "the disk is full"});
  EXPECT_EQ(asks.wish, input::Wish::shutdown);
  EXPECT_EQ(asks.reason, "the disk is full");
  const auto ended = sent_and_read(
      wire::Ended{ExitKind::failed, FailureCategory::external_dependency, "no database"});
  EXPECT_EQ(ended.kind, ExitKind::failed);
  EXPECT_EQ(ended.category, FailureCategory::external_dependency);
  EXPECT_EQ(ended.message, "no database");
}

TEST(CopyWire, ACrashComesThrough) {
  const auto crash = sent_and_read(wire::Crashed{SIGSEGV, -6, 0xfeed'0000'dead'beefU, 0x7ffcU});
  EXPECT_EQ(crash.signal, SIGSEGV);
  EXPECT_EQ(crash.code, -6);
  EXPECT_EQ(crash.address, 0xfeed'0000'dead'beefU);
  EXPECT_EQ(crash.stack, 0x7ffcU);
}

TEST(CopyWire, ALongTextIsCutAndFits) {
  const auto packet = wire::encode(wire::Status{std::string(10'000'000, 'x')});
  EXPECT_LE(packet.size(), wire::max_message);
  EXPECT_TRUE(wire::parse_from_copy(packet));
}

TEST(CopyWire, WhatIsNoMessageGivesNothing) {
  const std::vector<std::string> packets{
      "",
      "ready",
      "5:ready",
      "5:ready;",
      "4:ready,",
      "6:ready,",
      "5:ready,x",
      "5:ready,0:,",
      "-1:ready,",
      "99999999999999:x,",
      ":ready,",
      "5:other,",
      "6:status,",
      "5:ended,1:9,1:0,0:,",
      "5:asks,1:2,0:,",
      "4:asks,1:7,0:,",
      "5:ended,1:0,2:99,0:,",
      "18446744073709551615:",
      "7:crashed,2:zz,8:00000000,16:0000000000000000,16:0000000000000000,"};
  for (const auto& packet : packets)
    EXPECT_FALSE(wire::parse_from_copy(packet)) << packet;
  EXPECT_FALSE(wire::parse_from_copy(std::string(wire::max_message + 1, '0')));
  EXPECT_FALSE(wire::parse_call("4:call,1:f,1:/,1:1,1:1,"));
  EXPECT_FALSE(wire::parse_call("4:call,1:f,1:/,1:1,1:1,1:0,7:no pair,"));
  EXPECT_FALSE(wire::parse_call("4:call,1:f,1:/,2:-1,1:1,1:0,"));
}

TEST(CopyWire, BrokenMessagesNeverReadAsMoreThanTheyAre) {
  std::mt19937 random{1};
  const auto whole =
      wire::encode(wire::Ended{ExitKind::panicked, FailureCategory::panic, "went wrong"});
  for (int round = 0; round < 20'000; ++round) {
    auto packet = whole;
    for (int change = 0; change < 3; ++change)
      packet[random() % packet.size()] = static_cast<char>(random());
    packet.resize(random() % (packet.size() + 1));
    const auto read = wire::parse_from_copy(packet);
    if (const auto* ended = read ? std::get_if<wire::Ended>(&*read) : nullptr) {
      EXPECT_LE(ended->message.size(), whole.size());
      EXPECT_LE(ended->kind, ExitKind::panicked);
    }
  }
}

TEST(CopyWire, ACrashIsToldInWords) {
  EXPECT_EQ(wire::describe({SIGSEGV, SEGV_MAPERR, 0, 0x7ffd'0000'0000U}),
            "segmentation fault at address 0x0");
  EXPECT_EQ(wire::describe({SIGABRT, SI_TKILL, 0x1234, 0}), "abort");
  EXPECT_EQ(wire::describe({SIGBUS, BUS_ADRERR, 0xabc, 0}), "bus error at address 0xabc");
  EXPECT_THAT(wire::describe({SIGSEGV, SI_USER, 0, 0}), HasSubstr("sent by a process"));
  EXPECT_THAT(wire::describe({SIGSEGV, SI_KERNEL, 0, 0}), HasSubstr("cannot be"));
  EXPECT_THAT(wire::describe({SIGSEGV, SEGV_MAPERR, 0x7ffd'0000'1000U, 0x7ffd'0000'1008U}),
              HasSubstr("stack overflow"));
}

}  // namespace
}  // namespace espalier::supervisor::testing
