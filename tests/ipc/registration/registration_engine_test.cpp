#include "espalier/ipc/registration/registration_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using supervisor::Duration;
using supervisor::TimePoint;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Effects = RegistrationEngine::Effects;
using State = RegistrationEngine::State;

const supervisor::RegistrationSpec spec = {
    .path = "/run/relay.sock", .lease = 30s, .initial_backoff = 200ms, .max_backoff = 30s};
const RegisterParams self = {.target_id = "shop",
                             .display_name = "Shop",
                             .ipc_path = "/run/espalier/shop.sock",
                             .lease_seconds = 30,
                             .supported_commands = {"command.restart_child"},
                             .pid = 7,
                             .version = "1.0"};

/// An engine in virtual time, with a relay's answers at hand.
class RegistrationEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(engine.start(now).connect);
    ASSERT_EQ(engine.state(), State::connecting);
  }
  /// Jumps to the next deadline.
  Effects jump() {
    now = engine.next_deadline().value();
    return engine.tick(now);
  }
  Effects connected() {
    auto effects = engine.connected(now);
    sent = nlohmann::json::parse(effects.send);
    return effects;
  }
  Effects ok(const std::string& result) {
    return engine.line(
        R"({"request_id":)" + sent["request_id"].dump() + R"(,"ok":true,"result":)" + result + "}",
        now);
  }
  Effects refuse(const std::string& error) {
    return engine.line(
        R"({"request_id":)" + sent["request_id"].dump() + R"(,"ok":false,"error":)" + error + "}",
        now);
  }
  Effects registered(int heartbeat_seconds = 5) {
    connected();
    return ok(R"({"registration_id":"r1","heartbeat_seconds":)" +
              std::to_string(heartbeat_seconds) + "}");
  }
  void heartbeat() {
    sent = nlohmann::json::parse(jump().send);
    ok("{}");
  }
  /// From a lost connection to the next one.
  void next_connection() {
    while (!jump().connect)
      ASSERT_NE(engine.state(), State::connecting);
  }

  TimePoint now = TimePoint(1000s);
  RegistrationEngine engine = RegistrationEngine(spec, self, 42);
  nlohmann::json sent;
};

TEST_F(RegistrationEngineTest, registers_with_all_that_it_is) {
  const auto effects = connected();
  EXPECT_EQ(effects.send.back(), '\n');
  EXPECT_EQ(sent["method"], "register");
  EXPECT_EQ(sent["request_id"], "1");
  EXPECT_EQ(sent["params"],
            nlohmann::json::parse(R"({"target_id":"shop","display_name":"Shop",)"
                                  R"("ipc_path":"/run/espalier/shop.sock","lease_seconds":30,)"
                                  R"("supported_commands":["command.restart_child"],"pid":7,)"
                                  R"("version":"1.0"})"));
  EXPECT_EQ(engine.state(), State::registering);
  EXPECT_THAT(ok(R"({"registration_id":"r1","heartbeat_seconds":5})").notes,
              ElementsAre(HasSubstr("registered with the relay at /run/relay.sock as shop")));
  EXPECT_EQ(engine.state(), State::registered);
}

TEST_F(RegistrationEngineTest, renews_the_lease_as_often_as_the_relay_wants) {
  registered(5);
  for (int i = 0; i < 10; ++i) {
    const auto before = now;
    sent = nlohmann::json::parse(jump().send);
    EXPECT_EQ(now - before, 5s);
    EXPECT_EQ(sent["method"], "heartbeat");
    EXPECT_EQ(sent["params"]["registration_id"], "r1");
    now += 1s;
    EXPECT_FALSE(ok("{}").disconnect);
    now -= 1s;
  }
}

TEST_F(RegistrationEngineTest, and_three_times_within_the_lease_whatever_the_relay_wants) {
  for (const int wanted : {0, 60, 1'000'000}) {
    registered(wanted);
    const auto before = now;
    EXPECT_THAT(jump().send, HasSubstr("heartbeat"));
    EXPECT_EQ(now - before, 10s) << wanted;
    static_cast<void>(engine.lost("cut", now));
    next_connection();
  }
}

TEST_F(RegistrationEngineTest, gives_a_relay_up_that_answers_no_heartbeat) {
  registered(5);
  EXPECT_THAT(jump().send, HasSubstr("heartbeat"));
  const auto effects = jump();
  EXPECT_TRUE(effects.disconnect);
  EXPECT_EQ(effects.send, "");
  EXPECT_THAT(effects.notes, ElementsAre(HasSubstr("did not answer a heartbeat")));
  EXPECT_EQ(engine.state(), State::waiting);
}

TEST_F(RegistrationEngineTest, gives_up_after_5_s_without_connection_or_answer) {
  auto begin = now;
  EXPECT_TRUE(jump().disconnect);
  EXPECT_EQ(now - begin, 5s);
  next_connection();
  connected();
  begin = now;
  EXPECT_TRUE(jump().disconnect);
  EXPECT_EQ(now - begin, 5s);
  EXPECT_EQ(engine.state(), State::waiting);
}

TEST_F(RegistrationEngineTest, pauses_grow_with_full_jitter_up_to_the_longest) {
  Duration longest = {};
  Duration sum = {};
  Duration ceiling = 200ms;
  for (int i = 0; i < 200; ++i) {
    static_cast<void>(engine.lost("no", now));
    const Duration pause = *engine.next_deadline() - now;
    EXPECT_LE(pause, ceiling);
    ceiling = std::min<Duration>(2 * ceiling, 30s);
    longest = std::max(longest, pause);
    if (i >= 10) sum += pause;
    next_connection();
  }
  EXPECT_GT(longest, 25s);
  EXPECT_NEAR(std::chrono::duration<double>(sum).count() / 190, 15.0, 3.0);
}

TEST_F(RegistrationEngineTest, pauses_begin_small_again_once_a_lease_was_held) {
  for (int i = 0; i < 12; ++i) {
    static_cast<void>(engine.lost("no", now));
    next_connection();
  }
  registered(5);
  for (int i = 0; i < 6; ++i)
    heartbeat();
  static_cast<void>(engine.lost("cut", now));
  EXPECT_LE(*engine.next_deadline() - now, 200ms);
}

TEST_F(RegistrationEngineTest, pauses_go_on_growing_where_a_relay_registers_only_to_drop_us) {
  Duration longest = {};
  for (int i = 0; i < 50; ++i) {
    registered(5);
    heartbeat();
    static_cast<void>(engine.lost("cut", now));
    longest = std::max(longest, *engine.next_deadline() - now);
    next_connection();
  }
  EXPECT_GT(longest, 10s);
}

TEST_F(RegistrationEngineTest, a_refusal_for_good_is_told_once_and_asked_again_after_long) {
  const std::string error =
      R"({"code":"forbidden","message":"shop is not listed","retryable":false})";
  connected();
  auto effects = refuse(error);
  EXPECT_TRUE(effects.disconnect);
  EXPECT_EQ(engine.state(), State::refused);
  EXPECT_THAT(effects.notes, ElementsAre(HasSubstr("shop is not listed")));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(*engine.next_deadline() - now, 300s);
    EXPECT_TRUE(jump().connect);
    connected();
    EXPECT_THAT(refuse(error).notes, IsEmpty());
  }
  EXPECT_TRUE(jump().connect);
  EXPECT_THAT(registered().notes, ElementsAre(HasSubstr("registered")));
}

TEST_F(RegistrationEngineTest, a_refusal_for_now_says_when_to_come_back) {
  connected();
  refuse(R"({"code":"limit_reached","message":"full","retryable":true,"retry_after_ms":4000})");
  EXPECT_EQ(engine.state(), State::waiting);
  EXPECT_GE(*engine.next_deadline() - now, 4s);
  EXPECT_LE(*engine.next_deadline() - now, 5s);
}

TEST_F(RegistrationEngineTest, a_relay_cannot_send_us_away_for_ever) {
  connected();
  refuse(R"({"code":"limit_reached","message":"full","retryable":true,)"
         R"("retry_after_ms":9007199254740991})");
  EXPECT_LE(*engine.next_deadline() - now, 300s);
}

TEST_F(RegistrationEngineTest, a_lease_that_the_relay_forgot_is_registered_anew) {
  registered();
  sent = nlohmann::json::parse(jump().send);
  EXPECT_TRUE(refuse(R"({"code":"not_found","message":"no such registration","retryable":true})")
                  .disconnect);
  next_connection();
  EXPECT_THAT(connected().send, HasSubstr("\"register\""));
}

TEST_F(RegistrationEngineTest, lines_that_are_none_end_the_connection_with_a_sentence) {
  const std::pair<std::string, const char*> lines[] = {
      {"HTTP/1.1 400", "no JSON object"},
      {"[1]", "no JSON object"},
      {std::string(70'000, 'x'), "64 KiB"},
      {R"({"request_id":"@","ok":true,"result":{}})", "registration_id"},
      {R"({"request_id":"@","ok":true})", "`register`"},
      {R"({"request_id":"@"})", "refuses"},
      {R"({"request_id":"@","ok":false,"error":7})", "says not why"},
  };
  for (const auto& [text, why] : lines) {
    connected();
    std::string line = text;
    if (const auto at = line.find('@'); at != std::string::npos) {
      line.replace(at, 1, sent["request_id"].get<std::string>());
    }
    const auto effects = engine.line(line, now);
    EXPECT_TRUE(effects.disconnect) << text.substr(0, 80);
    EXPECT_THAT(effects.notes, ElementsAre(HasSubstr(why)));
    EXPECT_EQ(engine.state(), State::waiting);
    next_connection();
    registered();  // What is told once is told again after this.
    static_cast<void>(engine.lost("cut", now));
    next_connection();
  }
}

TEST_F(RegistrationEngineTest, passes_over_lines_nobody_asked_for_but_not_over_a_flood) {
  registered();
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(engine.line(R"({"type":"news"})", now).disconnect);
  }
  heartbeat();
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(engine.line(R"({"request_id":"999","ok":true})", now).disconnect);
  }
  const auto effects = engine.line(R"({"type":"news"})", now);
  EXPECT_TRUE(effects.disconnect);
  EXPECT_THAT(effects.notes, ElementsAre(HasSubstr("floods")));
}

TEST_F(RegistrationEngineTest, tells_the_same_trouble_once) {
  EXPECT_EQ(engine.lost("nobody answers there", now).notes.size(), 1U);
  for (int i = 0; i < 20; ++i) {
    next_connection();
    EXPECT_THAT(engine.lost("nobody answers there", now).notes, IsEmpty());
  }
  next_connection();
  EXPECT_THAT(engine.lost("there is no such socket", now).notes,
              ElementsAre(HasSubstr("there is no such socket")));
  next_connection();
  registered();
  EXPECT_EQ(engine.lost("there is no such socket", now).notes.size(), 1U);
}

TEST_F(RegistrationEngineTest, says_goodbye_where_it_is_registered_and_is_silent_after) {
  registered();
  auto effects = engine.stop();
  EXPECT_TRUE(effects.disconnect);
  EXPECT_THAT(effects.send,
              HasSubstr(R"("method":"unregister","params":{"registration_id":"r1"})"));
  EXPECT_EQ(engine.state(), State::ended);
  EXPECT_FALSE(engine.next_deadline());
  effects = engine.tick(now + 1h);
  EXPECT_FALSE(effects.connect);
  EXPECT_EQ(effects.send, "");
  EXPECT_EQ(engine.connected(now).send, "");
  EXPECT_FALSE(engine.lost("x", now).disconnect);
  EXPECT_FALSE(engine.line("garbage", now).disconnect);
  EXPECT_EQ(engine.stop().send, "");
}

TEST_F(RegistrationEngineTest, has_nothing_to_say_goodbye_to_before_it_is_registered) {
  connected();
  const auto effects = engine.stop();
  EXPECT_TRUE(effects.disconnect);
  EXPECT_EQ(effects.send, "");
}

}  // namespace
}  // namespace espalier::ipc
