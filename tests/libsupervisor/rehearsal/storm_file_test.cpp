#include "espalier/rehearsal/storm_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace espalier::rehearsal {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Kind = storm::Incident::Kind;

std::string problems_of(const std::string& text) {
  const auto storm = load_storm_text(text, "storm.yaml");
  if (storm) return "none";
  std::string all;
  for (const auto& problem : storm.error())
    all += problem.to_string() + "\n";
  return all;
}

TEST(StormFile, ReadsEveryKindOfTrouble) {
  const auto storm = load_storm_text(R"(
children:
  - {path: /db, ready_after: 2s, stops_after: 500ms, ignores_stop: true}
failures:
  - {path: /api/*, rate: 5%}
  - {path: /db, rate: 3/day, message: disk}
events:
  - {at: 10s, exit: /db, times: 4, within: 10s, message: full, category: fatal_config}
  - {at: 1h, outage: /db, lasts: 5m, after: 200ms}
  - {at: 2h, hang: /api}
  - {at: 3h, restart: /api}
  - {at: 4h, shutdown: true}
)",
                                     "storm.yaml");
  ASSERT_TRUE(storm) << storm.error().front().to_string();
  ASSERT_THAT(storm->paces, SizeIs(1));
  EXPECT_EQ(storm->paces[0].ready_after, 2s);
  EXPECT_TRUE(storm->paces[0].ignores_stop);
  ASSERT_THAT(storm->failures, SizeIs(2));
  EXPECT_DOUBLE_EQ(storm->failures[0].share, 0.05);
  EXPECT_EQ(storm->failures[1].every, 8h);
  EXPECT_EQ(storm->failures[1].message, "disk");
  ASSERT_THAT(storm->incidents, SizeIs(5));
  EXPECT_EQ(storm->incidents[0].kind, Kind::exit);
  EXPECT_EQ(storm->incidents[0].times, 4u);
  EXPECT_EQ(storm->incidents[0].exit.category, supervisor::FailureCategory::fatal_config);
  EXPECT_EQ(storm->incidents[1].kind, Kind::outage);
  EXPECT_EQ(storm->incidents[1].lasts, 5min);
  EXPECT_EQ(storm->incidents[2].path, "/api");
  EXPECT_EQ(storm->incidents[3].kind, Kind::restart);
  EXPECT_EQ(storm->incidents[4].kind, Kind::shutdown);
}

TEST(StormFile, SaysWhereAndWhatIsWrong) {
  EXPECT_THAT(problems_of("events:\n  - {at: 1h, exit: db}\n"),
              HasSubstr("storm.yaml:2:20: events[0].exit: expected the path of a child"));
  EXPECT_THAT(problems_of("events:\n  - {at: 1h}\n"),
              HasSubstr("storm.yaml:2:5: events[0]: expected one of exit, outage"));
  EXPECT_THAT(problems_of("events:\n  - {at: 1h, exit: /a, hang: /b}\n"), HasSubstr("found 2"));
  EXPECT_THAT(problems_of("events:\n  - {at: 1h, outage: /a}\n"), HasSubstr("needs lasts:"));
  EXPECT_THAT(problems_of("failures:\n  - {path: /a}\n"), HasSubstr("needs path: and rate:"));
  EXPECT_THAT(problems_of("failures:\n  - {path: /a, rate: often}\n"),
              HasSubstr("a share of its starts such as 5%"));
  EXPECT_THAT(problems_of("children:\n  - {ready_after: 1s}\n"), HasSubstr("needs path:"));
  EXPECT_THAT(problems_of("event: []\n"), HasSubstr("event: unknown key; did you mean events?"));
  EXPECT_THAT(problems_of("- 1\n"), HasSubstr("expected a map"));
  EXPECT_THAT(problems_of("{"), HasSubstr("storm.yaml:"));
}

TEST(StormFile, AFileThatIsNotThereIsNamed) {
  const auto storm = load_storm_file("/nowhere/storm.yaml");
  ASSERT_FALSE(storm);
  EXPECT_THAT(storm.error().front().to_string(), HasSubstr("/nowhere/storm.yaml"));
}

TEST(ParseFailures, TakesSharesAndRates) {
  EXPECT_DOUBLE_EQ(parse_failures("/api:5%")->share, 0.05);
  EXPECT_EQ(parse_failures("/api:2/h")->every, 30min);
  EXPECT_EQ(parse_failures("/api:1/week")->every, 168h);
  for (const auto* bad : {"/api", "api:5%", "/api:", "/api:-1/h", "/api:0%", "/api:101%",
                          "/api:3/fortnight", "/api:nan%", "/api:1e9/s"})
    EXPECT_FALSE(parse_failures(bad)) << bad;
}

}  // namespace
}  // namespace espalier::rehearsal
