#include "ipc/support/subscription_bench.hpp"

#include <gmock/gmock.h>

namespace espalier::ipc {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing_support::SubscriptionBench;

struct SubscriptionsLogsTest : testing::Test, SubscriptionBench {
  json tail(ConnectionId id, LogsTailParams params = {}) {
    const auto result = subscriptions.tail_logs(reader(id), params, now);
    if (!result) throw std::runtime_error{result.error().message};
    return json::parse(*result);
  }
  static std::string texts(const json& tailed) {
    std::string all;
    for (const auto& line : tailed)
      all += line.at("stream").get<std::string>().front() +
             (":" + line.at("path").get<std::string>()) + ' ';
    return all;
  }
};

namespace ev = supervisor::events;

TEST_F(SubscriptionsLogsTest, merges_lines_of_children_and_supervisors_by_time) {
  target.publish("/db", ev::ChildReady{}, 20);
  target.write("/api", "one", 10);
  target.write("/db", "two", 30);
  target.publish("/api", ev::ChildExited{}, 40);
  EXPECT_EQ(texts(tail(1).at("lines")), "s:/api s:/db s:/db s:/api ");
  const auto two = tail(1, {.lines = 2}).at("lines");
  EXPECT_EQ(two[0].at("message"), "two");
  EXPECT_THAT(two[1].at("message").get<std::string>(), HasSubstr("exited"));
  EXPECT_EQ(two[1].at("stream"), "supervisor");
  EXPECT_EQ(texts(tail(1, {.path = "/api"}).at("lines")), "s:/api s:/api ");
  EXPECT_EQ(tail(1, {.lines = 0}).at("lines").size(), 0U);
  EXPECT_FALSE(subscriptions.tail_logs(reader(1), {.lines = 1001}, now));
  EXPECT_EQ(target.watch_calls, 0U);
}

TEST_F(SubscriptionsLogsTest, the_level_is_that_of_the_supervisors_lines) {
  target.publish("/db", ev::ChildStatusText{"busy"}, 1);
  target.publish("/db", ev::ChildFailed{"so"}, 2);
  target.write("/db", "out", 3);
  EXPECT_EQ(tail(1, {.level = supervisor::Severity::error}).at("lines").size(), 2U);
  EXPECT_EQ(tail(1, {.level = supervisor::Severity::debug}).at("lines").size(), 3U);
}

TEST_F(SubscriptionsLogsTest, follows_without_loss_or_repetition) {
  target.write("/db", "before", 1);
  const auto answer = tail(1, {.path = "/db", .follow = true});
  EXPECT_EQ(answer.at("lines").size(), 1U);
  EXPECT_EQ(answer.at("subscription_id"), "s1");
  EXPECT_TRUE(target.watches_events && target.watches_lines);
  target.write("/db", "after", 5);
  target.publish("/db", ev::ChildReady{}, 4);
  target.write("/api", "other", 6);
  wake();
  const auto sent = lines(1);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].at("line").at("stream"), "supervisor");
  EXPECT_EQ(sent[1].at("line").at("message"), "after");
  wake();
  EXPECT_EQ(told(1), "");
  ASSERT_TRUE(subscriptions.unsubscribe(1, {"s1"}));
  EXPECT_FALSE(target.watches_events || target.watches_lines);
}

TEST_F(SubscriptionsLogsTest, tells_of_lines_that_were_lost) {
  target.kept = 2;
  tail(1, {.follow = true});
  for (int i = 0; i < 5; ++i)
    target.write("/db", std::to_string(i), i);
  wake();
  const auto sent = lines(1);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].at("type"), "gap");
  EXPECT_EQ(sent[0].at("count"), 3);
  EXPECT_EQ(sent[2].at("line").at("message"), "4");
}

}  // namespace
}  // namespace espalier::ipc
