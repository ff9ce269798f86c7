#include "ipc/client/client_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using testing::FakePeer;
using ::testing::HasSubstr;
using Kind = ClientError::Kind;
using Clock = std::chrono::steady_clock;

class ClientAnswerTest : public testing::ClientTest {};

const Json empty = Json::object();

TEST_F(ClientAnswerTest, a_refusal_has_its_reason_and_the_connection_goes_on) {
  serve([](FakePeer& peer) {
    peer.say(R"({"request_id":")" + peer.request() +
             R"(","ok":false,"error":{"code":"not_found","stage":"execution",)"
             R"("message":"no node /x","retryable":false}})");
    peer.answer(peer.request(), R"({"now":"2026-01-31T12:03:07.001234Z"})");
    peer.until_gone();
  });
  Client client = connect();
  const auto refused = client.request("why", {{"path", "/x"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::refused);
  EXPECT_EQ(refused.error().message, "no node /x");
  EXPECT_EQ(refused.error().refusal->code, ErrorCode::not_found);
  const auto pong = client.call<PingResult>("ping", Nothing{});
  ASSERT_TRUE(pong) << pong.error().message;
}

TEST_F(ClientAnswerTest, a_word_only_a_newer_target_knows_is_still_a_refusal) {
  serve([](FakePeer& peer) {
    peer.say(R"({"request_id":")" + peer.request() +
             R"(","ok":false,"error":{"code":"moon_phase","stage":"execution",)"
             R"("message":"wait for the full moon","retryable":false}})");
    peer.until_gone();
  });
  Client client = connect();
  const auto refused = client.request("ping", empty);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::refused);
  EXPECT_EQ(refused.error().message, "wait for the full moon");
}

TEST_F(ClientAnswerTest, pushed_lines_between_are_kept_in_order) {
  serve([](FakePeer& peer) {
    const auto id = peer.request();
    peer.say(R"({"type":"event","subscription_id":"s1","event":{"sequence":1}})");
    peer.say(R"({"type":"event","subscription_id":"s1","event":{"sequence":2}})");
    peer.answer(id, R"({"subscription_id":"s1"})");
    peer.say(R"({"type":"gap","subscription_id":"s1","from":3,"to":4,"count":2,"reason":"x"})");
    peer.until_gone();
  });
  Client client = connect();
  ASSERT_TRUE(client.request("events.subscribe", empty));
  const auto first = client.next(5s);
  const auto second = client.next(5s);
  const auto third = client.next(5s);
  ASSERT_TRUE(first && *first && second && *second && third && *third);
  EXPECT_EQ((*first)->type, "event");
  EXPECT_EQ((*first)->subscription_id, "s1");
  EXPECT_EQ((*first)->body["event"]["sequence"], 1);
  EXPECT_EQ((*second)->body["event"]["sequence"], 2);
  EXPECT_EQ((*third)->type, "gap");
  const auto none = client.next(20ms);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST_F(ClientAnswerTest, lines_may_come_in_any_pieces) {
  serve([](FakePeer& peer) {
    const std::string line =
        R"({"request_id":")" + peer.request() + R"(","ok":true,"result":{"a":"ü"}})" + "\n";
    for (const char c : line) {
      peer.raw(std::string(1, c));
      std::this_thread::sleep_for(1ms);
    }
    peer.until_gone();
  });
  Client client = connect();
  const auto answer = client.request("x", empty);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)["a"], "ü");
}

TEST_F(ClientAnswerTest, a_late_answer_is_not_taken_for_the_next_one) {
  serve([&](FakePeer& peer) {
    const auto first = peer.request();
    const auto second = peer.request();
    EXPECT_NE(first, second);
    peer.answer(first, R"({"which":1})");
    peer.answer(second, R"({"which":2})");
    peer.until_gone();
  });
  Client client = connect();
  const auto late = client.request("slow", empty, 30ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Kind::timed_out);
  EXPECT_THAT(late.error().message, HasSubstr("slow"));
  const auto answer = client.request("quick", empty);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)["which"], 2);
}

TEST_F(ClientAnswerTest, silence_ends_at_the_time_limit) {
  serve([](FakePeer& peer) { peer.until_gone(); });
  Client client = connect();
  const auto begin = Clock::now();
  const auto answer = client.request("x", empty, 100ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::timed_out);
  EXPECT_GE(Clock::now() - begin, 100ms);
  EXPECT_LT(Clock::now() - begin, 3s);
}

TEST_F(ClientAnswerTest, a_connection_closed_in_the_middle_of_an_answer_is_closed) {
  serve([](FakePeer& peer) {
    peer.raw(R"({"request_id":")" + peer.request() + R"(","ok":true,"res)");
  });
  Client client = connect();
  const auto answer = client.request("x", empty);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::closed);
  const auto again = client.request("x", empty);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Kind::closed);
}

TEST_F(ClientAnswerTest, what_came_before_the_end_is_still_given_out) {
  serve([](FakePeer& peer) {
    peer.say(R"({"type":"log","subscription_id":"s","line":{}})");
    peer.say(R"({"type":"bye","error":{"code":"idle","stage":"connection",)"
             R"("message":"5 minutes of silence","retryable":true}})");
  });
  Client client = connect();
  server_.reset();
  const auto failed = client.request("ping", empty);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, Kind::closed);
  EXPECT_THAT(failed.error().message, HasSubstr("5 minutes of silence"));
  const auto push = client.next(0s);
  ASSERT_TRUE(push && *push);
  EXPECT_EQ((*push)->type, "log");
  const auto end = client.next(0s);
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("5 minutes of silence"));
}

TEST_F(ClientAnswerTest, garbage_is_a_protocol_error) {
  for (const std::string& garbage :
       {std::string("HTTP/1.1 400 Bad Request"), std::string("[1,2]"), std::string("{\"a\":1}"),
        std::string("\xff\xfe\x00\x01", 4), std::string(100, '[')}) {
    serve([&](FakePeer& peer) {
      static_cast<void>(peer.request());
      peer.say(garbage);
      peer.until_gone();
    });
    Client client = connect();
    const auto answer = client.request("x", empty);
    ASSERT_FALSE(answer) << garbage;
    EXPECT_EQ(answer.error().kind, Kind::protocol) << garbage;
    EXPECT_FALSE(client.request("x", empty)) << garbage;
    server_.reset();
  }
}

TEST_F(ClientAnswerTest, a_line_without_an_end_is_given_up_at_64_mib) {
  std::atomic<std::size_t> sent = 0;
  serve([&](FakePeer& peer) {
    static_cast<void>(peer.request());
    const std::string piece(1UL << 20U, 'x');
    while (sent < (256UL << 20U) && peer.raw(piece))
      sent += piece.size();
  });
  {
    Client client = connect(60s);
    const auto answer = client.request("x", empty);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::protocol);
    EXPECT_THAT(answer.error().message, HasSubstr("64 MiB"));
  }
  server_.reset();
  EXPECT_LT(sent, 70UL << 20U);
}

TEST_F(ClientAnswerTest, both_sides_may_write_much_at_once) {
  const std::string big(4UL << 20U, 'y');
  serve([&](FakePeer& peer) {
    // Writes before it reads: a client that only writes would wait for ever.
    peer.say(R"({"type":"log","subscription_id":"s","line":")" + big + "\"}");
    peer.answer(peer.request(), "{}");
    peer.until_gone();
  });
  Client client = connect();
  const auto answer = client.request("x", {{"text", big}}, 20s);
  ASSERT_TRUE(answer) << answer.error().message;
}

TEST_F(ClientAnswerTest, a_killed_target_is_closed_and_raises_no_signal) {
  const int listener = testing::listen_at(path_);
  const pid_t target = ::fork();
  if (target == 0) {
    FakePeer peer(::accept(listener, nullptr, nullptr));
    peer.greet();
    peer.until_gone();
    ::_exit(0);
  }
  ::close(listener);
  struct sigaction old = {};
  struct sigaction normal = {};
  normal.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &normal, &old);
  Client client = connect();
  ASSERT_EQ(::kill(target, SIGKILL), 0);
  ASSERT_EQ(::waitpid(target, nullptr, 0), target);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.request("x", {{"text", std::string(1UL << 20U, 'z')}});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::closed);
  }
  ::sigaction(SIGPIPE, &old, nullptr);
}

}  // namespace
}  // namespace espalier::ipc
