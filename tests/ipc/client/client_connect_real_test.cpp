#include "ipc/client/client_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using testing::FakePeer;
using ::testing::HasSubstr;
using Kind = ClientError::Kind;
using Clock = std::chrono::steady_clock;

class ClientConnectTest : public testing::ClientTest {};

TEST_F(ClientConnectTest, says_hello_and_keeps_the_answer) {
  std::atomic<bool> was_named = false;
  serve_all({[&](FakePeer& peer) {
    peer.greet(42);
    was_named = peer.last()["method"] == "hello" && peer.last()["params"]["client"] == "test";
  }});
  const Client client = connect();
  EXPECT_EQ(client.hello().target_id, "shop");
  EXPECT_EQ(client.hello().epoch, 42U);
  server_.reset();
  EXPECT_TRUE(was_named);
}

TEST_F(ClientConnectTest, no_socket_is_not_running_with_advice) {
  const auto client = try_connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, Kind::not_running);
  EXPECT_THAT(client.error().message, HasSubstr(path_));
  EXPECT_THAT(client.error().message, HasSubstr("ESPALIER_SOCKET"));
}

TEST_F(ClientConnectTest, a_socket_that_nobody_answers_on_is_not_running) {
  ::close(testing::listen_at(path_));
  const auto client = try_connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, Kind::not_running);
  EXPECT_THAT(client.error().message, HasSubstr("has ended"));
}

TEST_F(ClientConnectTest, paths_that_can_be_no_socket_are_told) {
  const auto no_path = Client::connect({});
  ASSERT_FALSE(no_path);
  EXPECT_EQ(no_path.error().kind, Kind::not_running);
  const auto too_long = Client::connect({.path = "/tmp/" + std::string(120, 'x')});
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error().message, HasSubstr("107 bytes"));
}

TEST_F(ClientConnectTest, a_socket_one_may_not_open_is_no_permission) {
  const int listener = testing::listen_at(path_);
  ASSERT_EQ(::chmod(path_.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // As root nothing is forbidden; as nobody it is.
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(3);
    const auto client = try_connect();
    ::_exit(!client && client.error().kind == Kind::no_permission ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(listener);
}

TEST_F(ClientConnectTest, a_target_that_takes_no_connection_times_out) {
  const int listener = testing::listen_at(path_, 0);
  std::vector<expected<Client, ClientError>> tries;
  const auto begin = Clock::now();
  for (int i = 0; i < 3; ++i)
    tries.push_back(try_connect(100ms));
  for (const auto& attempt : tries) {
    ASSERT_FALSE(attempt);
    EXPECT_EQ(attempt.error().kind, Kind::timed_out);
  }
  EXPECT_LT(Clock::now() - begin, 3s);
  ::close(listener);
}

TEST_F(ClientConnectTest, another_protocol_is_told_with_both_names) {
  serve_all({[](FakePeer& peer) {
    peer.greet(1, "supervisor-ipc.v9");
    peer.until_gone();
  }});
  const auto client = try_connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, Kind::protocol);
  EXPECT_THAT(client.error().message, HasSubstr("supervisor-ipc.v9"));
  EXPECT_THAT(client.error().message, HasSubstr("supervisor-ipc.v1"));
}

TEST_F(ClientConnectTest, who_is_not_let_in_learns_why) {
  serve_all({[](FakePeer& peer) {
    peer.say(R"({"request_id":null,"ok":false,"error":{"code":"forbidden","stage":"connection",)"
             R"("message":"uid 7 is not listed","retryable":false}})");
  }});
  const auto client = try_connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, Kind::no_permission);
  EXPECT_THAT(client.error().message, HasSubstr("uid 7 is not listed"));
  ASSERT_TRUE(client.error().refusal);
  EXPECT_EQ(client.error().refusal->code, ErrorCode::forbidden);
}

TEST_F(ClientConnectTest, a_full_target_says_so_with_a_farewell) {
  serve_all({[](FakePeer& peer) {
    peer.say(R"({"type":"bye","error":{"code":"too_many_connections","stage":"connection",)"
             R"("message":"256 are connected","retryable":true}})");
  }});
  const auto client = try_connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, Kind::closed);
  EXPECT_THAT(client.error().message, HasSubstr("256 are connected"));
  EXPECT_TRUE(client.error().refusal->retryable);
}

}  // namespace
}  // namespace espalier::ipc
