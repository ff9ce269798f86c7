#include "espalier/supervisor/runtime/event_hub.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

Event event(const std::string& path, EventBody body = events::ChildReady{}) {
  return {.path = path, .body = std::move(body)};
}

TEST(EventFilter, FitsANodeAndAllBelow) {
  const EventFilter filter{.path = "/db"};
  EXPECT_TRUE(matches(filter, event("/db")));
  EXPECT_TRUE(matches(filter, event("/db/shard1")));
  EXPECT_FALSE(matches(filter, event("/db2")));
  EXPECT_FALSE(matches(filter, event("/")));
  EXPECT_TRUE(matches({}, event("/")));
  EXPECT_TRUE(matches({}, event("/x/y")));
}

TEST(EventFilter, ACommandIsAlsoOfTheChildItWasAbout) {
  auto command = event("/api");
  command.body = events::CommandDone{.command = "stop_child", .child = "/api/w1"};
  EXPECT_TRUE(matches({.path = "/api/w1"}, command));
  EXPECT_TRUE(matches({.path = "/*/w1"}, command));
  EXPECT_TRUE(matches({.path = "/api"}, command));
  EXPECT_FALSE(matches({.path = "/api/w2"}, command));
  command.body = events::CommandDone{.command = "reload"};
  EXPECT_FALSE(matches({.path = "/api/w1"}, command));
}

TEST(EventFilter, AStarStaysWithinAName) {
  EXPECT_TRUE(matches({.path = "/*/w1"}, event("/pool/w1")));
  EXPECT_FALSE(matches({.path = "/*/w1"}, event("/a/b/w1")));
  EXPECT_TRUE(matches({.path = "/**/w1"}, event("/a/b/w1")));
  EXPECT_TRUE(matches({.path = "/w*"}, event("/worker")));
  EXPECT_FALSE(matches({.path = "/w*"}, event("/worker/x")));
  EXPECT_TRUE(matches({.path = "/w**"}, event("/worker/x")));
}

TEST(EventFilter, ManyStarsCostNoMoreThanTheirLength) {
  std::string pattern = "/";
  for (int i = 0; i < 50; ++i)
    pattern += "*a";
  const auto text = "/" + std::string(200, 'a');
  EXPECT_TRUE(matches({.path = pattern}, event(text)));
  EXPECT_FALSE(matches({.path = pattern + "*b"}, event(text)));
  EXPECT_TRUE(matches({.path = "/**a/**/*b"}, event("/xa/y/z/ab")));
  EXPECT_FALSE(matches({.path = "/**a/*b"}, event("/xa/y/b")));
  EXPECT_TRUE(matches({.path = "**"}, event("/")));
}

TEST(EventFilter, TypesAndSeverityMustFitToo) {
  const auto bad = event("/a", events::Escalated{});
  EXPECT_TRUE(matches({.types = {"escalated"}}, bad));
  EXPECT_FALSE(matches({.types = {"child_ready"}}, bad));
  EXPECT_TRUE(matches({.min_severity = Severity::error}, bad));
  EXPECT_FALSE(matches({.min_severity = Severity::error}, event("/a")));
}

TEST(EventHub, GivesWhatFitsInOrder) {
  EventHub hub;
  const auto heard = hub.subscribe({.path = "/a"}, 8);
  hub.publish(event("/a", events::ChildStarting{}));
  hub.publish(event("/b"));
  hub.publish(event("/a"));
  EXPECT_STREQ(type_name(heard.next(0s)->body), "child_starting");
  EXPECT_STREQ(type_name(heard.next(0s)->body), "child_ready");
  EXPECT_FALSE(heard.next(0s));
  EXPECT_EQ(heard.dropped(), 0u);
}

TEST(EventHub, AFullQueueLosesAndCounts) {
  EventHub hub;
  const auto heard = hub.subscribe({}, 2);
  for (int i = 0; i < 5; ++i)
    hub.publish(event("/" + std::to_string(i)));
  EXPECT_EQ(heard.dropped(), 3u);
  EXPECT_EQ(heard.next(0s)->path, "/0");
  hub.publish(event("/later"));
  EXPECT_EQ(heard.next(0s)->path, "/1");
  EXPECT_EQ(heard.next(0s)->path, "/later");
}

// What a hub tells of its readers, as `backpressure_alert NAME LEVEL` and the like.
struct Told {
  std::vector<std::string> lines = {};
  EventHub::Report report() {
    return [this](const EventBody& body) {
      if (const auto* alert = std::get_if<events::BackpressureAlert>(&body)) {
        lines.push_back(alert->reader + " " + alert->level + " " + std::to_string(alert->fill_pct));
      } else if (const auto* lagged = std::get_if<events::SubscriberLagged>(&body)) {
        lines.push_back(lagged->reader + " missed " + std::to_string(lagged->dropped) + " of " +
                        std::to_string(lagged->from) + " to " + std::to_string(lagged->to) + ": " +
                        lagged->reason);
      }
    };
  }
};

Event numbered(std::uint64_t sequence) {
  return {.sequence = sequence, .path = "/a", .body = events::ChildReady{}};
}

TEST(EventHub, TellsOfAReaderThatIsTooSlowWhileThereIsStillRoom) {
  Told told;
  EventHub hub{{.warn_threshold_pct = 50, .critical_threshold_pct = 80}, told.report()};
  const auto heard = hub.subscribe({}, 10, "bob");
  for (std::uint64_t i = 1; i <= 9; ++i)
    hub.publish(numbered(i));
  EXPECT_EQ(told.lines, (std::vector<std::string>{"bob warn 50", "bob critical 80"}));
  EXPECT_EQ(heard.dropped(), 0u);
}

TEST(EventHub, WhatWasLostIsToldOnceTheReaderKeepsUpAgain) {
  Told told;
  EventHub hub{{}, told.report()};
  const auto heard = hub.subscribe({}, 10, "bob");
  for (std::uint64_t i = 1; i <= 13; ++i)
    hub.publish(numbered(i));
  told.lines.clear();
  while (heard.next(0s)) {
  }
  EXPECT_TRUE(told.lines.empty());
  hub.publish(numbered(14));
  EXPECT_EQ(told.lines,
            (std::vector<std::string>{"bob recovered 0", "bob missed 3 of 11 to 13: full"}));
}

TEST(EventHub, ASampleIsKeptOfWhatComesTooFast) {
  Told told;
  EventHub hub{{.strategy = BackpressureStrategy::sample_and_audit,
                .warn_threshold_pct = 10,
                .critical_threshold_pct = 20,
                .sample_ratio = 0.25},
               told.report()};
  const auto heard = hub.subscribe({}, 100, "bob");
  for (std::uint64_t i = 1; i <= 100; ++i)
    hub.publish(numbered(i));
  EXPECT_EQ(heard.dropped(), 60u) << "20 before the threshold, and a quarter of the other 80";
  for (std::uint64_t i = 1; i <= 20; ++i)
    EXPECT_EQ(heard.next(0s)->sequence, i);
  EXPECT_EQ(heard.next(0s)->sequence, 24u);
}

TEST(EventHub, EndsWithTheTreeAndKeepsWhatIsInTheQueue) {
  EventHub hub;
  const auto heard = hub.subscribe({}, 8);
  hub.publish(event("/a"));
  hub.close();
  hub.publish(event("/b"));
  EXPECT_TRUE(heard.closed());
  EXPECT_EQ(heard.next(1h)->path, "/a");
  EXPECT_FALSE(heard.next(1h)) << "returns at once";
  EXPECT_TRUE(hub.subscribe({}, 8).closed());
}

TEST(EventHub, AClosedOrDroppedSubscriptionHearsNothing) {
  EventHub hub;
  const auto heard = hub.subscribe({}, 8);
  { const auto dropped = hub.subscribe({}, 8); }
  heard.close();
  hub.publish(event("/a"));
  EXPECT_FALSE(heard.next(1h));
}

TEST(EventHub, WakesWhoWaits) {
  EventHub hub;
  const auto heard = hub.subscribe({}, 8);
  std::thread later{[&hub] { hub.publish(event("/a")); }};
  const auto got = heard.next(10s);
  later.join();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->path, "/a");
}

TEST(EventHub, WakesWhoeverWantsToBeForAsLongAsHeDoes) {
  EventHub hub;
  int woken = 0;
  hub.publish(event("/a"));
  auto wish = hub.on_event([&] { ++woken; });
  hub.publish(event("/a"));
  hub.publish(event("/b"));
  EXPECT_EQ(woken, 2);
  wish.reset();
  hub.publish(event("/a"));
  EXPECT_EQ(woken, 2);
}

}  // namespace
}  // namespace espalier::supervisor
