// What becomes of a reader of events that is too slow.
#include "ipc/support/conversation.hpp"
#include "ipc/support/subscription_bench.hpp"

#include <gmock/gmock.h>

namespace espalier::ipc {
namespace {

using supervisor::BackpressureSpec;
using supervisor::BackpressureStrategy;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::SubscriptionBench;
using namespace std::chrono_literals;

struct BackpressureTest : testing::Test {
  static constexpr std::size_t room = 100;  // Lines that may wait.

  static void follow(SubscriptionBench& bench, ConnectionId id) {
    ASSERT_TRUE(bench.subscriptions.subscribe_events(bench.reader(id, room), {}, bench.now));
  }
  static void publish(SubscriptionBench& bench, int count) {
    for (int i = 0; i < count; ++i)
      bench.target.publish("/db");
    bench.wake();
  }
  static std::vector<std::string> news(SubscriptionBench& bench) {
    std::vector<std::string> all;
    for (const auto& one : bench.subscriptions.take_news()) {
      auto text = one.subscription_id;
      if (one.alert) {
        text += std::string{" "} + supervisor::to_string(one.alert->level) + " " +
                std::to_string(one.alert->fill_pct);
      }
      if (one.left_out.count != 0) {
        text += " left out " + std::to_string(one.left_out.count) + " of " +
                std::to_string(one.left_out.from) + "-" + std::to_string(one.left_out.to);
      }
      if (one.others != 0) text += " and " + std::to_string(one.others);
      all.push_back(text);
    }
    return all;
  }
  static std::string numbers(int from, int to) {
    std::string all;
    for (int i = from; i <= to; ++i)
      all += (all.empty() ? "" : " ") + std::to_string(i);
    return all;
  }
};

TEST_F(BackpressureTest, one_that_blocks_misses_nothing_that_is_kept) {
  SubscriptionBench bench;
  follow(bench, 1);
  publish(bench, 500);
  EXPECT_THAT(news(bench), ElementsAre("s1 warn 80", "s1 critical 95"));
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const auto piece = bench.told(1);
    if (!piece.empty()) all += (all.empty() ? "" : " ") + piece;
    bench.pass(10ms);
  }
  EXPECT_EQ(all, numbers(1, 500));
  publish(bench, 1);
  EXPECT_EQ(bench.told(1), "501");
  EXPECT_THAT(news(bench), ElementsAre("s1 recovered 0"));
}

TEST_F(BackpressureTest, a_slow_reader_costs_the_others_nothing) {
  SubscriptionBench bench;
  follow(bench, 1);
  follow(bench, 2);
  for (int i = 0; i < 10; ++i) {
    publish(bench, 50);
    EXPECT_EQ(bench.told(2), numbers(i * 50 + 1, i * 50 + 50));
  }
}

TEST_F(BackpressureTest, what_waits_for_a_reader_that_blocks_does_not_grow) {
  SubscriptionBench bench;
  follow(bench, 1);
  publish(bench, 10'000);
  bench.pass(1s);
  EXPECT_LT(bench.outboxes.at(1)->fill(), 1000u);
  EXPECT_EQ(bench.outboxes.at(1)->dropped(), 0u);
}

TEST_F(BackpressureTest, a_sample_is_given_and_the_rest_is_told) {
  SubscriptionBench bench{BackpressureSpec{.strategy = BackpressureStrategy::sample_and_audit,
                                           .warn_threshold_pct = 10,
                                           .critical_threshold_pct = 20,
                                           .sample_ratio = 0.5}};
  follow(bench, 1);
  publish(bench, 30);
  EXPECT_EQ(bench.told(1), numbers(1, 20) + " 22 24 26 28 30");
  EXPECT_THAT(news(bench), ElementsAre("s1 warn 10", "s1 critical 20"));
  publish(bench, 1);
  EXPECT_EQ(bench.told(1), "gap:21-29:sampled 31");
  EXPECT_THAT(news(bench), ElementsAre("s1 recovered 0", "s1 left out 5 of 21-29"));
}

TEST_F(BackpressureTest, what_is_left_out_for_long_is_told_meanwhile) {
  SubscriptionBench bench{BackpressureSpec{.strategy = BackpressureStrategy::sample_and_audit,
                                           .warn_threshold_pct = 1,
                                           .critical_threshold_pct = 2,
                                           .sample_ratio = 0.01}};
  follow(bench, 1);
  publish(bench, 1100);
  EXPECT_THAT(bench.told(1), testing::HasSubstr("gap:3-"));
}

TEST_F(BackpressureTest, at_the_end_the_rest_is_told_too) {
  SubscriptionBench bench{BackpressureSpec{.strategy = BackpressureStrategy::sample_and_audit,
                                           .warn_threshold_pct = 1,
                                           .critical_threshold_pct = 2,
                                           .sample_ratio = 0.01}};
  follow(bench, 1);
  publish(bench, 5);
  bench.subscriptions.end("it is over", bench.now, bench.wall);
  EXPECT_EQ(bench.told(1), "1 2 gap:3-5:sampled end");
}

TEST_F(BackpressureTest, news_that_wait_are_bounded) {
  SubscriptionBench bench{BackpressureSpec{.strategy = BackpressureStrategy::sample_and_audit,
                                           .warn_threshold_pct = 1,
                                           .critical_threshold_pct = 2,
                                           .audit_channel_capacity = 2,
                                           .sample_ratio = 0.01}};
  follow(bench, 1);
  publish(bench, 5);
  bench.subscriptions.end("it is over", bench.now, bench.wall);
  EXPECT_THAT(news(bench), ElementsAre("s1 warn 1", "s1 critical 2 and 3"));
}

// --- what others learn of it ------------------------------------------------------------------

std::vector<std::string> types_of(const std::vector<supervisor::EventBody>& bodies) {
  std::vector<std::string> all;
  for (const auto& body : bodies)
    all.emplace_back(supervisor::type_name(body));
  return all;
}

TEST_F(BackpressureTest, the_tree_and_the_audit_are_told_of_what_was_left_out) {
  testing_support::Conversation talk;
  talk.spec.security.max_queued_events = room;
  talk.backpressure = {.strategy = BackpressureStrategy::sample_and_audit,
                       .warn_threshold_pct = 10,
                       .critical_threshold_pct = 20,
                       .sample_ratio = 0.5};
  const auto id = talk.open();
  talk.ask(id, R"({"request_id":"1","method":"events.subscribe","params":{}})");
  talk.audit.lines.clear();
  for (int i = 0; i < 30; ++i)
    talk.target.publish("/db", supervisor::events::ChildReady{});
  talk.service().wake(talk.target.now(), talk.target.wall());
  EXPECT_THAT(types_of(talk.target.reported),
              ElementsAre("backpressure_alert", "backpressure_alert"));
  talk.take(id);
  talk.target.reported.clear();
  talk.target.publish("/db", supervisor::events::ChildReady{});
  talk.service().wake(talk.target.now(), talk.target.wall());
  EXPECT_THAT(types_of(talk.target.reported),
              ElementsAre("backpressure_alert", "subscriber_lagged"));
  const auto& lagged = std::get<supervisor::events::SubscriberLagged>(talk.target.reported[1]);
  EXPECT_EQ(lagged.reader, "pid 100 of uid 0, s1");
  EXPECT_EQ(lagged.dropped, 5u);
  ASSERT_EQ(talk.audit.lines.size(), 1u);
  EXPECT_THAT(talk.audit.lines[0], testing::HasSubstr(R"("decision":"left_out")"));
  EXPECT_THAT(talk.audit.lines[0], testing::HasSubstr("were not given to s1"));
}

TEST_F(BackpressureTest, an_audit_that_fails_is_told_once_until_it_works_again) {
  testing_support::Conversation talk;
  const auto id = talk.open();
  const auto restart = [&] {
    static int n = 0;
    const auto number = std::to_string(++n);
    return talk.ask(id, R"({"request_id":")" + number +
                            R"(","method":"command.restart_child","params":{"path":"/db",)"
                            R"("requested_by":"ann","reason":"a test","command_id":"c)" +
                            number + R"("}})");
  };
  talk.audit.works = false;
  restart();
  restart();
  EXPECT_THAT(types_of(talk.target.reported), ElementsAre("audit_failed"));
  talk.audit.works = true;
  restart();
  talk.audit.works = false;
  restart();
  EXPECT_THAT(types_of(talk.target.reported), ElementsAre("audit_failed", "audit_failed"));
}

TEST_F(BackpressureTest, who_keeps_up_is_no_news) {
  SubscriptionBench bench;
  follow(bench, 1);
  publish(bench, 79);
  EXPECT_THAT(news(bench), IsEmpty());
}

}  // namespace
}  // namespace espalier::ipc
