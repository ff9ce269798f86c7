#include "espalier/ipc/core/service.hpp"

#include "ipc/support/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace espalier::ipc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::Conversation;
using testing_support::FakeTarget;

std::string ping(int id) {
  return R"({"request_id":)" + std::to_string(id) + R"(,"method":"ping"})";
}

std::string restart(const std::string& id) {
  return R"({"request_id":")" + id +
         R"(","method":"command.restart_child","params":{"path":"/db","requested_by":"ann",)"
         R"("reason":"x","command_id":")" +
         id + R"("}})";
}

TEST(Service, CutsLinesHoweverTheBytesCome) {
  Conversation talk;
  const auto id = talk.open();
  const auto text = ping(1) + "\n" + ping(2) + "\n";
  for (const char byte : text)
    talk.feed(id, {&byte, 1});
  EXPECT_THAT(talk.take(id), SizeIs(2));
}

TEST(Service, ACommandGoesOnWhenItsConnectionIsGone) {
  Conversation talk;
  talk.target.reply("restart_child", FakeTarget::Reply::later);
  const auto first = talk.open();
  talk.feed(first, restart("a") + "\n");
  talk.close(first);
  ASSERT_TRUE(talk.finish());
  const auto second = talk.open();
  const auto lines = talk.ask(second, restart("a"));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines.front(), HasSubstr(R"("repeated":true)"));
  EXPECT_THAT(talk.target.executed, SizeIs(1));
}

TEST(Service, AnAnswerThatComesAfterItsEndTouchesNothing) {
  Conversation talk;
  talk.hold_posts = true;
  talk.target.reply("restart_child", FakeTarget::Reply::later);
  const auto id = talk.open();
  talk.feed(id, restart("a") + "\n" + restart("b") + "\n");
  ASSERT_TRUE(talk.target.finish());  // Handed over, not delivered.
  talk.destroy_service();
  ASSERT_TRUE(talk.target.finish());
  const auto records = talk.audit.lines.size();
  talk.deliver();
  EXPECT_EQ(talk.audit.lines.size(), records);
}

TEST(Service, AnswersWaitUntilTheShellHandsThemOver) {
  Conversation talk;
  talk.hold_posts = true;
  const auto id = talk.open();
  EXPECT_THAT(talk.ask(id, restart("a")), IsEmpty());
  EXPECT_THAT(talk.ask(id, ping(7)), SizeIs(1));
  talk.deliver();
  EXPECT_THAT(talk.take(id), SizeIs(1));
}

TEST(Service, ServesNoMoreThanItsReaderTakes) {
  Conversation talk;
  talk.spec.security.max_queued_bytes = 4096;
  const auto id = talk.open();
  std::string many;
  for (int i = 0; i < 150; ++i)
    many += ping(i) + "\n";
  talk.feed(id, many);
  EXPECT_TRUE(talk.service().is_full(id));
  EXPECT_LT(talk.service().output(id).size(), 4096U);
  // What was sent is served once there is room: nothing is lost, in order.
  const auto lines = talk.take(id);
  ASSERT_THAT(lines, SizeIs(150));
  EXPECT_THAT(lines.back(), HasSubstr(R"("request_id":149,)"));
  EXPECT_FALSE(talk.service().is_full(id));
}

TEST(Service, CutsOffAReaderThatTakesNothing) {
  Conversation talk;
  talk.spec.security.stall_timeout = std::chrono::seconds{30};
  const auto id = talk.open();
  talk.feed(id, ping(1) + "\n");
  talk.advance(std::chrono::milliseconds{29'999});
  EXPECT_FALSE(talk.service().is_closing(id));
  talk.advance(std::chrono::milliseconds{1});
  EXPECT_TRUE(talk.service().is_closing(id));
  EXPECT_THAT(talk.service().output(id), IsEmpty());
}

TEST(Service, KeepsAReaderThatTakesALittle) {
  Conversation talk;
  const auto id = talk.open();
  talk.feed(id, ping(1) + "\n");
  for (int i = 0; i < 10; ++i) {
    talk.advance(std::chrono::seconds{20});
    talk.service().sent(id, 1, talk.target.now());
  }
  EXPECT_FALSE(talk.service().is_closing(id));
}

TEST(Service, CutsOffWhoDoesNotTakeItsGoodbye) {
  Conversation talk;
  const auto id = talk.open();
  talk.end("stopped");
  EXPECT_TRUE(talk.service().is_closing(id));
  EXPECT_THAT(std::string{talk.service().output(id)}, HasSubstr("bye"));
  talk.advance(std::chrono::seconds{5});
  EXPECT_THAT(talk.service().output(id), IsEmpty());
}

TEST(Service, ClosesWhereAnswersPileUp) {
  Conversation talk;
  talk.spec.security.max_queued_bytes = 600;
  talk.target.reply("restart_child", FakeTarget::Reply::later);
  const auto id = talk.open();
  for (int i = 0; i < 20; ++i)
    talk.feed(id, restart("c" + std::to_string(i)) + "\n");
  static_cast<void>(talk.service().output(id));
  while (talk.finish()) {
    static_cast<void>(talk.service().output(id));  // Begun, and never sent.
  }
  EXPECT_TRUE(talk.service().is_closing(id));
  EXPECT_THAT(talk.target.executed, SizeIs(20));
}

TEST(Service, TellsWhichConnectionsHaveSomething) {
  Conversation talk;
  const auto a = talk.open(), b = talk.open();
  talk.feed(b, ping(1) + "\n");
  EXPECT_THAT(talk.service().touched(), testing::ElementsAre(b));
  EXPECT_THAT(talk.service().touched(), IsEmpty());
  talk.feed(a, R"({"request_id":"1","method":"events.subscribe"})" + std::string{"\n"});
  static_cast<void>(talk.service().touched());
  talk.target.change("/db", supervisor::ChildPhase::stopping);
  talk.wake();
  EXPECT_THAT(talk.service().touched(), testing::Contains(a));
}

TEST(Service, RefusalsCannotFloodTheAudit) {
  Conversation talk;
  talk.spec.security.read.uids = {1001};
  const auto id = talk.open({.pid = 1, .uid = 1001, .gid = 1});
  for (int i = 0; i < 150; ++i)
    talk.feed(id, "nonsense\n");
  EXPECT_THAT(talk.audit.lines, SizeIs(3));
  talk.advance(std::chrono::seconds{10});
  talk.feed(id, "nonsense\n");
  ASSERT_THAT(talk.audit.lines, SizeIs(4));
  EXPECT_THAT(talk.audit.lines.back(), HasSubstr("147 more before it were not recorded"));
}

TEST(Service, EveryCommandIsAuditedHoweverManyThereAre) {
  Conversation talk;
  const auto id = talk.open();
  for (int i = 0; i < 150; ++i)
    EXPECT_THAT(talk.ask(id, restart("c" + std::to_string(i))), SizeIs(1));
  EXPECT_THAT(talk.audit.lines, SizeIs(300));  // Accepted, and completed.
}

TEST(Service, OneUserCannotHaveAnyNumberOfCommandsUnderWay) {
  Conversation talk;
  talk.spec.security.request_burst = talk.spec.security.uid_request_burst = 10'000;
  talk.target.reply("restart_child", FakeTarget::Reply::never);
  const auto id = talk.open();
  for (int i = 0; i < 256; ++i)
    EXPECT_THAT(talk.ask(id, restart("c" + std::to_string(i))), IsEmpty());
  const auto lines = talk.ask(id, restart("one more"));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines.front(), HasSubstr("limit_reached"));
}

TEST(Service, TwoUsersMayUseTheSameCommandId) {
  Conversation talk;
  const auto a = talk.open({.pid = 1, .uid = 0, .gid = 0});
  const auto b = talk.open({.pid = 1, .uid = 500, .gid = 500});
  EXPECT_THAT(talk.ask(a, restart("c")).front(), testing::Not(HasSubstr("repeated")));
  EXPECT_THAT(talk.ask(b, restart("c")).front(), testing::Not(HasSubstr("repeated")));
  EXPECT_THAT(talk.target.executed, SizeIs(2));
}

TEST(Service, AsksForNothingWhileNobodyFollows) {
  Conversation talk;
  const auto id = talk.open();
  EXPECT_THAT(talk.ask(id, ping(1)), SizeIs(1));
  EXPECT_FALSE(talk.target.watches_events);
  EXPECT_FALSE(talk.target.watches_lines);
  EXPECT_EQ(talk.target.states_read, 0);
}

TEST(Service, UnknownConnectionsAreClosing) {
  Conversation talk;
  EXPECT_TRUE(talk.service().is_closing(77));
  EXPECT_THAT(talk.service().output(77), IsEmpty());
  talk.service().receive(77, "x\n", talk.target.now(), talk.target.wall());
  talk.service().close(77);
  EXPECT_EQ(talk.service().connections(), 0U);
}

}  // namespace
}  // namespace espalier::ipc
