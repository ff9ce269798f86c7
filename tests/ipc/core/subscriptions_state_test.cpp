#include "ipc/support/subscription_bench.hpp"

#include <gmock/gmock.h>

namespace espalier::ipc {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing_support::SubscriptionBench;
using namespace std::chrono_literals;

struct SubscriptionsStateTest : testing::Test, SubscriptionBench {
  json follow(ConnectionId id, StateSubscribeParams params = {}, std::size_t room = 4096) {
    const auto result = subscriptions.subscribe_state(reader(id, room), params, now, wall);
    if (!result) throw std::runtime_error{result.error().message};
    return json::parse(*result);
  }
  void change(const std::string& path, supervisor::ChildPhase phase) {
    target.node(path).view.phase = phase;
    target.publish(path);
  }
  static std::string paths(const json& nodes) {
    std::string all;
    for (const auto& node : nodes)
      all += (node.is_string() ? node : node.at("path")).get<std::string>() + ' ';
    return all;
  }
};

using enum supervisor::ChildPhase;

TEST_F(SubscriptionsStateTest, begins_with_the_whole_and_sends_it_again_when_it_has_changed) {
  const auto answer = follow(1);
  EXPECT_EQ(answer.at("subscription_id"), "s1");
  EXPECT_EQ(paths(answer.at("snapshot").at("nodes")), "/ ");
  EXPECT_EQ(subscriptions.next_deadline(), now + 1s);
  pass(1s);
  EXPECT_EQ(told(1), "");
  change("/db", running);
  pass(999ms);
  EXPECT_EQ(told(1), "");
  pass(1ms);
  const auto sent = lines(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("type"), "snapshot");
  EXPECT_EQ(paths(sent[0].at("snapshot").at("nodes")), "/ /db ");
  EXPECT_EQ(sent[0].at("snapshot").at("generation"), 1);
  pass(1s);
  EXPECT_EQ(told(1), "");
}

TEST_F(SubscriptionsStateTest, with_resources_it_is_sent_every_interval) {
  target.node("/db").view.pid = 42;
  const auto answer = follow(1, {.include = {{"resources"}}});
  EXPECT_EQ(answer.at("snapshot").at("nodes")[1].at("resources").at("rss_bytes"), 42);
  pass(1s);
  EXPECT_EQ(told(1), "snapshot");
  pass(1s);
  EXPECT_EQ(told(1), "snapshot");
}

TEST_F(SubscriptionsStateTest, a_reader_that_takes_nothing_has_only_the_newest_waiting) {
  follow(1);
  for (int i = 0; i < 5; ++i) {
    change("/db", i % 2 == 0 ? running : stopped);
    pass(1s);
  }
  const auto sent = lines(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("snapshot").at("generation"), 5);
}

TEST_F(SubscriptionsStateTest, a_delta_has_what_is_new_different_or_gone) {
  target.node("/db");
  target.node("/api");
  follow(1, {.mode = StateMode::delta});
  change("/db", running);
  change("/new", idle);
  target.remove("/api");
  pass(1s);
  auto sent = lines(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("type"), "state_delta");
  EXPECT_EQ(sent[0].at("from_generation"), 0);
  EXPECT_EQ(sent[0].at("to_generation"), 2);
  EXPECT_EQ(paths(sent[0].at("changed")), "/db /new ");
  EXPECT_EQ(paths(sent[0].at("removed")), "/api ");
  target.publish("/db");  // Nothing that a state shows.
  pass(1s);
  EXPECT_EQ(told(1), "");
  change("/db", stopped);
  pass(1s);
  sent = lines(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("from_generation"), 2);
  EXPECT_EQ(sent[0].at("to_generation"), 4);
  EXPECT_EQ(paths(sent[0].at("changed")), "/db ");
}

TEST_F(SubscriptionsStateTest, pushed_lines_are_what_the_codec_writes) {
  follow(1, {.mode = StateMode::delta});
  follow(1);
  change("/db", running);
  pass(1s);
  const auto sent = raw(1);
  ASSERT_EQ(sent.size(), 2U);
  std::string again;
  const auto whole = decode<SnapshotPush>(*parse_json(sent[1]), Unknown::refuse);
  ASSERT_TRUE(whole) << whole.error();
  encode(again, *whole);
  EXPECT_EQ(again, sent[1]);
  again.clear();
  const auto delta = decode<StateDeltaPush>(*parse_json(sent[0]), Unknown::refuse);
  ASSERT_TRUE(delta) << delta.error();
  encode(again, *delta);
  EXPECT_EQ(again, sent[0]);
}

TEST_F(SubscriptionsStateTest, clocks_that_drift_change_no_node) {
  target.node("/db");
  follow(1, {.mode = StateMode::delta});
  target.publish("/db");
  wall += 3ms;
  pass(1s);
  EXPECT_EQ(told(1), "");
  target.publish("/db");
  wall += 1h;  // Somebody set the clock: then times are others.
  pass(1s);
  EXPECT_EQ(told(1), "state_delta");
}

TEST_F(SubscriptionsStateTest, after_a_lost_delta_the_whole_comes_again) {
  follow(1, {.mode = StateMode::delta}, 3);
  ASSERT_TRUE(subscriptions.tail_logs(reader(1), {.lines = 0, .follow = true}, now));
  change("/db", running);
  pass(1s);  // One delta waits.
  for (int i = 0; i < 4; ++i)
    target.write("/x", "a line", 0);
  wake();  // They push out the delta.
  EXPECT_GT(outboxes.at(1)->dropped(), 0U);
  pass(1s);
  const auto sent = lines(1);
  std::string types;
  for (const auto& line : sent)
    types += line.at("type").get<std::string>() + ' ';
  EXPECT_THAT(types, HasSubstr("snapshot"));
  EXPECT_THAT(types, testing::Not(HasSubstr("state_delta")));
  // Nothing is lost any more: changes again.
  pass(1s);
  static_cast<void>(lines(1));
  pass(1s);
  static_cast<void>(lines(1));
  change("/db", stopped);
  pass(1s);
  EXPECT_THAT(told(1), HasSubstr("state_delta"));
}

TEST_F(SubscriptionsStateTest, many_readers_cost_one) {
  for (ConnectionId id = 1; id <= 50; ++id) {
    follow(id);
    follow(id, {.mode = StateMode::delta});
  }
  ASSERT_TRUE(subscriptions.state({}, now, wall));
  EXPECT_EQ(target.states_read, 1);
  change("/db", running);
  pass(1s);
  EXPECT_EQ(target.states_read, 2);
  EXPECT_EQ(told(50), "snapshot state_delta");
}

TEST_F(SubscriptionsStateTest, a_change_is_seen_at_once_by_who_asks) {
  ASSERT_TRUE(subscriptions.state({}, now, wall));
  change("/db", running);
  EXPECT_THAT(*subscriptions.state({}, now, wall), HasSubstr("/db"));
}

TEST_F(SubscriptionsStateTest, ends_when_its_part_of_the_tree_is_gone) {
  target.node("/db");
  follow(1, {.path = "/db"});
  target.remove("/db");
  target.publish("/");
  pass(1s);
  const auto sent = lines(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].at("type"), "end");
  EXPECT_EQ(sent[0].at("reason"), "there is no /db");
  EXPECT_EQ(subscriptions.count(1), 0U);
  EXPECT_FALSE(subscriptions.next_deadline());
}

TEST_F(SubscriptionsStateTest, refuses_what_it_cannot_do) {
  const auto refusal = [&](const StateSubscribeParams& params) {
    return subscriptions.subscribe_state(reader(1), params, now, wall).error();
  };
  EXPECT_THAT(refusal({.interval_ms = 49}).message, HasSubstr("interval_ms"));
  EXPECT_THAT(refusal({.interval_ms = 3'600'001}).message, HasSubstr("interval_ms"));
  EXPECT_THAT(refusal({.include = {{"weather"}}}).message, HasSubstr("weather"));
  EXPECT_EQ(refusal({.path = "/nowhere"}).code, ErrorCode::not_found);
  EXPECT_EQ(subscriptions.count(1), 0U);
  EXPECT_EQ(target.watch_calls, 0U);
}

TEST_F(SubscriptionsStateTest, at_the_end_sends_the_last_state) {
  follow(1);
  change("/db", stopped);
  subscriptions.end("stopped", now, wall);
  EXPECT_EQ(told(1), "snapshot end");
}

}  // namespace
}  // namespace espalier::ipc
