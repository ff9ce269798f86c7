#include "espalier/supervisor/observe/event_json.hpp"
#include "ipc/support/subscription_bench.hpp"

#include <gmock/gmock.h>

namespace espalier::ipc {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::SubscriptionBench;
using namespace std::chrono_literals;

namespace ev = supervisor::events;

struct SubscriptionsEventsTest : testing::Test, SubscriptionBench {
  json follow(ConnectionId id, EventsSubscribeParams params = {}, std::size_t room = 4096) {
    const auto result = subscriptions.subscribe_events(reader(id, room), params, now);
    if (!result) throw std::runtime_error{result.error().message};
    return json::parse(*result);
  }
  WireError refusal(const EventsSubscribeParams& params) {
    return subscriptions.subscribe_events(reader(9), params, now).error();
  }
  std::string query(const EventsQueryParams& params) {
    const auto page = json::parse(*subscriptions.query_events(params));
    std::string all;
    for (const auto& event : page.at("events"))
      all += std::to_string(event.at("sequence").get<int>()) + ' ';
    if (page.contains("next")) {
      all += "next:" + std::to_string(page.at("next").at("sequence").get<int>()) + ' ';
    }
    return all + (page.at("complete").get<bool>() ? "complete" : "incomplete");
  }
  void publish_some(int count) {
    for (int i = 0; i < count; ++i)
      target.publish(i % 2 == 0 ? "/db" : "/api");
  }
  Cursor at(std::uint64_t sequence) const { return {target.epoch, sequence}; }
};

TEST_F(SubscriptionsEventsTest, begins_with_what_comes_after_the_cursor_of_its_answer) {
  publish_some(3);
  EXPECT_EQ(follow(1).dump(), R"({"cursor":{"epoch":77,"sequence":3},"subscription_id":"s1"})");
  target.publish("/db");
  wake();
  EXPECT_EQ(told(1), "4");
  EXPECT_THAT(subscriptions.touched(), ElementsAre(1));
  EXPECT_TRUE(subscriptions.touched().empty());
}

TEST_F(SubscriptionsEventsTest, a_pushed_line_is_what_the_codec_writes) {
  follow(1);
  auto event = target.make("/db", ev::ChildFailed{"no \"disk\""});
  target.publish(event);
  wake();
  EventPush push{.subscription_id = "s1", .event = {""}};
  append_json(push.event.text, event);
  std::string expected;
  encode(expected, push);
  EXPECT_THAT(raw(1), ElementsAre(expected));
}

TEST_F(SubscriptionsEventsTest, filters_by_path_type_and_severity) {
  follow(1, {.filter = WireEventFilter{.path = "/db"}});
  follow(2, {.filter = WireEventFilter{.types = {{"child_ready"}}}});
  follow(3, {.filter = WireEventFilter{.min_severity = supervisor::Severity::error}});
  follow(4, {.filter = WireEventFilter{.path = "/*/load"}});
  target.publish("/db");
  target.publish("/api", ev::ChildReady{});
  target.publish("/db/x", ev::ChildFailed{"so"});
  target.publish("/etl/load");
  wake();
  EXPECT_EQ(told(1), "1 3");
  EXPECT_EQ(told(2), "2");
  EXPECT_EQ(told(3), "3");
  EXPECT_EQ(told(4), "4");
}

TEST_F(SubscriptionsEventsTest, refuses_what_it_does_not_understand) {
  EXPECT_THAT(refusal({.filter = WireEventFilter{.types = {{"child_dancing"}}}}).message,
              HasSubstr("child_dancing"));
  EXPECT_THAT(refusal({.filter = WireEventFilter{.path = "db"}}).message,
              HasSubstr("begin with /"));
  EXPECT_THAT(refusal({.from = at(0), .replay = 1}).message, HasSubstr("not both"));
  EXPECT_THAT(refusal({.from = at(1)}).message, HasSubstr("the last event is 0"));
  EXPECT_EQ(refusal({.from = at(1)}).code, ErrorCode::invalid_params);
  EXPECT_FALSE(target.watches_events);
}

TEST_F(SubscriptionsEventsTest, an_event_waits_for_one_with_a_lower_number) {
  follow(1);
  const auto late = target.make("/db", ev::ChildStarting{});
  target.publish("/api");
  wake();
  EXPECT_EQ(told(1), "");
  EXPECT_EQ(subscriptions.next_deadline(), now + 1s);
  pass(999ms);
  EXPECT_EQ(told(1), "");
  target.publish(late);
  wake();
  EXPECT_EQ(told(1), "1 2");
  EXPECT_FALSE(subscriptions.next_deadline());
}

TEST_F(SubscriptionsEventsTest, a_hole_that_stays_is_told_and_what_comes_into_it_is_not_sent) {
  follow(1);
  const auto late = target.make("/db", ev::ChildStarting{});
  static_cast<void>(target.make("/db", ev::ChildStarting{}));
  target.publish("/api");
  wake();
  pass(1s);
  EXPECT_EQ(told(1), "gap:1-2:not_kept 3");
  target.publish(late);
  target.publish("/api");
  wake();
  EXPECT_EQ(told(1), "4");
}

TEST_F(SubscriptionsEventsTest, nobody_waits_for_a_lower_number_while_very_many_come) {
  follow(1, {.filter = WireEventFilter{.path = "/api"}});
  static_cast<void>(target.make("/db", ev::ChildStarting{}));
  for (int i = 0; i < 1024; ++i)
    target.publish("/db");
  wake();
  EXPECT_EQ(told(1), "");
  target.publish("/api");
  wake();
  EXPECT_EQ(told(1), "gap:1-1:not_kept 1026");
}

TEST_F(SubscriptionsEventsTest, what_was_lost_before_it_was_read_is_a_hole) {
  target.kept = 4;
  follow(1);
  publish_some(10);
  wake();
  pass(1s);
  EXPECT_EQ(told(1), "gap:1-6:not_kept 7 8 9 10");
}

TEST_F(SubscriptionsEventsTest, goes_on_after_a_cursor_and_then_with_what_comes) {
  publish_some(6);
  follow(1, {.from = at(3)});
  EXPECT_EQ(told(1), "");  // The answer comes first.
  EXPECT_EQ(subscriptions.next_deadline(), now);
  target.publish("/db");
  settle();
  target.publish("/db");
  wake();
  EXPECT_EQ(told(1), "4 5 6 7 8");
}

TEST_F(SubscriptionsEventsTest, tells_what_is_not_kept_any_more) {
  target.kept = 3;
  publish_some(10);
  follow(1, {.from = at(4)});
  settle();
  EXPECT_EQ(told(1), "gap:5-7:not_kept 8 9 10");
}

TEST_F(SubscriptionsEventsTest, a_cursor_of_another_run_gets_all_that_is_kept) {
  target.kept = 3;
  publish_some(5);
  follow(1, {.from = Cursor{12, 4000}});
  settle();
  EXPECT_EQ(told(1), "gap:0-0:other_epoch gap:1-2:not_kept 3 4 5");
}

TEST_F(SubscriptionsEventsTest, replays_the_last_ones_that_fit) {
  publish_some(9);
  follow(1, {.filter = WireEventFilter{.path = "/api"}, .replay = 2});
  follow(2, {.replay = 100});
  follow(3, {.replay = 0});
  settle();
  EXPECT_EQ(told(1), "6 8");
  EXPECT_EQ(told(2), "1 2 3 4 5 6 7 8 9");
  EXPECT_EQ(told(3), "");
}

TEST_F(SubscriptionsEventsTest, a_long_replay_goes_at_the_pace_of_its_reader) {
  publish_some(3000);
  follow(1, {.from = at(0)}, 200);
  std::uint64_t last = 0;
  for (bool more = true; more;) {
    more = subscriptions.next_deadline().has_value();
    settle();
    EXPECT_LT(outboxes.at(1)->bytes(), 64U * 1024);
    for (const auto& line : lines(1)) {
      ASSERT_EQ(line.at("type"), "event");
      ASSERT_EQ(line.at("event").at("sequence"), ++last);
    }
    now += 2ms;
  }
  EXPECT_EQ(last, 3000U);
}

TEST_F(SubscriptionsEventsTest, who_leaves_during_a_replay_leaves_nothing_due) {
  publish_some(600);
  follow(1, {.from = at(0)});
  subscriptions.close(1);
  EXPECT_FALSE(subscriptions.next_deadline());
  follow(2, {.from = at(0)});
  settle();
  ASSERT_TRUE(subscriptions.next_deadline());  // It has more to come.
  ASSERT_TRUE(subscriptions.unsubscribe(2, {"s1"}));
  EXPECT_FALSE(subscriptions.next_deadline());
}

TEST_F(SubscriptionsEventsTest, pages_forward_and_backward) {
  publish_some(5);
  EXPECT_EQ(query({}), "1 2 3 4 5 complete");
  EXPECT_EQ(query({.limit = 2}), "4 5 next:4 complete");
  EXPECT_EQ(query({.before = at(4), .limit = 2}), "2 3 next:2 complete");
  EXPECT_EQ(query({.before = at(2), .limit = 2}), "1 complete");
  EXPECT_EQ(query({.after = at(0), .limit = 3}), "1 2 3 next:3 complete");
  EXPECT_EQ(query({.after = at(3), .limit = 3}), "4 5 complete");
  EXPECT_EQ(query({.filter = WireEventFilter{.path = "/api"}}), "2 4 complete");
  EXPECT_FALSE(subscriptions.query_events({.limit = 0}));
  EXPECT_FALSE(subscriptions.query_events({.limit = 1001}));
  EXPECT_FALSE(subscriptions.query_events({.before = at(1), .after = at(2)}));
}

TEST_F(SubscriptionsEventsTest, a_page_says_when_something_is_not_kept) {
  target.kept = 3;
  publish_some(6);
  EXPECT_EQ(query({.after = at(3)}), "4 5 6 complete");
  EXPECT_EQ(query({.after = at(2)}), "4 5 6 incomplete");
  EXPECT_EQ(query({}), "4 5 6 incomplete");
  EXPECT_EQ(query({.limit = 2}), "5 6 next:5 complete");
  EXPECT_EQ(query({.before = Cursor{5, 9}}), "incomplete");
  EXPECT_EQ(query({.after = Cursor{5, 9}}), "4 5 6 incomplete");
}

TEST_F(SubscriptionsEventsTest, pages_are_in_order_though_events_came_out_of_it) {
  for (int i = 0; i < 1200; i += 2) {
    auto first = target.make("/db", ev::ChildStarting{});
    target.publish("/db");
    target.publish(first);
  }
  EXPECT_EQ(query({.limit = 3}), "1198 1199 1200 next:1198 complete");
  EXPECT_EQ(query({.before = at(601), .limit = 2}), "599 600 next:599 complete");
  EXPECT_EQ(query({.after = at(700), .limit = 2}), "701 702 next:702 complete");
}

TEST_F(SubscriptionsEventsTest, watches_the_target_only_while_somebody_follows) {
  EXPECT_FALSE(target.watches_events);
  follow(1);
  follow(2);
  EXPECT_TRUE(target.watches_events);
  EXPECT_FALSE(target.watches_lines);
  EXPECT_EQ(target.watch_calls, 1U);
  ASSERT_TRUE(subscriptions.unsubscribe(1, {"s1"}));
  EXPECT_TRUE(target.watches_events);
  subscriptions.close(2);
  EXPECT_FALSE(target.watches_events);
  target.publish("/db");
  wake();
  EXPECT_EQ(told(1) + told(2), "");
}

TEST_F(SubscriptionsEventsTest, unsubscribing_takes_back_what_waits) {
  follow(1);
  follow(1);
  target.publish("/db");
  wake();
  EXPECT_EQ(*subscriptions.unsubscribe(1, {"s1"}), "{}");
  const auto left = lines(1);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].at("subscription_id"), "s2");
  EXPECT_EQ(subscriptions.unsubscribe(1, {"s1"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(subscriptions.count(1), 1U);
}

TEST_F(SubscriptionsEventsTest, a_connection_has_at_most_64) {
  for (int i = 0; i < 64; ++i)
    follow(1);
  const auto refused = subscriptions.subscribe_events(reader(1), {}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::limit_reached);
  EXPECT_EQ(refused.error().stage, Stage::parameters);
  ASSERT_TRUE(subscriptions.unsubscribe(1, {"s7"}));
  EXPECT_EQ(follow(1).at("subscription_id"), "s65");
}

TEST_F(SubscriptionsEventsTest, at_the_end_hands_out_the_rest_and_says_so) {
  publish_some(2);
  follow(1);
  follow(2, {.from = at(0)});
  static_cast<void>(target.make("/db", ev::ChildStarting{}));
  target.publish("/api");
  subscriptions.end("the tree has stopped", now, wall);
  EXPECT_EQ(told(1), "gap:3-3:not_kept 4 end");
  EXPECT_EQ(told(2), "1 2 gap:3-3:not_kept 4 end");
  EXPECT_EQ(subscriptions.count(1), 0U);
  EXPECT_FALSE(target.watches_events);
  EXPECT_FALSE(subscriptions.next_deadline());
}

}  // namespace
}  // namespace espalier::ipc
