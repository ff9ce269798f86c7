#include "espalier/rehearsal/rehearse.hpp"

#include "espalier/rehearsal/render.hpp"
#include "libsupervisor/rehearsal/trees.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::rehearsal {
namespace {

using namespace test;
using Kind = storm::Incident::Kind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Rehearse, WithoutAStormNothingHappens) {
  const auto report = rehearse(tree({child("db"), child("api")}), {}, {.length = 720h});
  EXPECT_FALSE(report.ended_at);
  EXPECT_EQ(report.failures, 0u);
  EXPECT_THAT(report.worst, IsEmpty());
  EXPECT_EQ(record(report, "/db").starts, 1u);
  EXPECT_EQ(record(report, "/db").wanted, 720h);
  EXPECT_EQ(record(report, "/db").availability(), 1);
  EXPECT_EQ(record(report, "/db").last_state, "up");
}

TEST(Rehearse, AnExitIsARestartAndAnOutageAsLongAsBackOffAndStart) {
  Storm storm;
  storm.incidents.push_back(exit_of("/db", 1h));
  storm.paces.push_back({.path = "/db", .ready_after = 2s});
  auto spec = tree({child("db"), child("api")});
  spec.children[0].policy.readiness = sv::Readiness::explicit_report;
  const auto report = rehearse(spec, storm, {.length = 2h});
  const auto& db = record(report, "/db");
  EXPECT_EQ(db.restarts, 1u);
  EXPECT_EQ(db.down, 3s);
  EXPECT_EQ(record(report, "/api").starts, 1u);
  ASSERT_THAT(report.worst, SizeIs(1));
  EXPECT_EQ(report.worst[0].from, 1h);
  EXPECT_EQ(report.worst[0].length, 3s);
  EXPECT_FALSE(report.worst[0].open);
  EXPECT_EQ(report.most_restarts_a_minute, 1u);
}

TEST(Rehearse, TimesAreSpreadEvenly) {
  Storm storm;
  auto exits = exit_of("/db", 1min);
  exits.times = 3;
  exits.within = 2min;
  storm.incidents.push_back(exits);
  const auto report = rehearse(tree({child("db")}), storm, {.length = 10min});
  EXPECT_EQ(report.failures, 3u);
  std::vector<sv::Duration> begins;
  for (const auto& outage : report.worst)
    begins.push_back(outage.from);
  std::sort(begins.begin(), begins.end());
  EXPECT_EQ(begins, (std::vector<sv::Duration>{1min, 2min, 3min}));
}

TEST(Rehearse, AnOutageFailsEveryAttemptUntilItIsOver) {
  Storm storm;
  storm.incidents.push_back(
      {.at = 1min, .kind = Kind::outage, .path = "/db", .lasts = 10s, .after = 100ms});
  const auto report = rehearse(tree({child("db")}), storm, {.length = 10min});
  // 60 s, 61.1, 63.2, 67.3; the attempt of 75.3 s meets no trouble any more.
  EXPECT_EQ(record(report, "/db").failures, 4u);
  ASSERT_THAT(report.worst, ::testing::Not(IsEmpty()));
  EXPECT_EQ(record(report, "/db").last_state, "up");
}

TEST(Rehearse, OneForAllTakesTheOthersDownAndTheyAreNotAmongTheWorst) {
  Storm storm;
  storm.incidents.push_back(exit_of("/db", 1h));
  const auto report =
      rehearse(tree({child("db"), child("api")}, sv::Strategy::one_for_all), storm, {.length = 2h});
  EXPECT_EQ(record(report, "/api").starts, 2u);
  EXPECT_EQ(record(report, "/api").failures, 0u);
  EXPECT_EQ(record(report, "/api").down, 1s);
  ASSERT_THAT(report.worst, SizeIs(1));
  EXPECT_EQ(report.worst[0].path, "/db");
}

TEST(Rehearse, ATreeThatGivesUpHasFailedAndIsDownToTheEnd) {
  auto spec = tree({child("db")});
  spec.children[0].policy.restart_limit = sv::RestartLimit{2, 1min};
  spec.children[0].policy.on_exhausted = sv::OnExhausted::escalate;
  Storm storm;
  storm.incidents.push_back(
      {.at = 1h, .kind = Kind::outage, .path = "/db", .lasts = 1h, .after = 10ms});
  const auto report = rehearse(spec, storm, {.length = 4h});
  ASSERT_TRUE(report.ended_at);
  EXPECT_TRUE(report.failed);
  EXPECT_EQ(report.failures, 3u);
  EXPECT_GE(report.escalation_count, 1u);
  EXPECT_THAT(report_text(report, 80), HasSubstr("THE TREE ENDED after 01:00:03"));
  EXPECT_GT(record(report, "/db").down, 2h + 59min);
}

TEST(Rehearse, AShutdownThatIsWantedIsNoOutage) {
  Storm storm;
  storm.incidents.push_back({.at = 1h, .kind = Kind::shutdown, .path = "/"});
  const auto report = rehearse(tree({child("db"), child("api", {"db"})}), storm, {.length = 2h});
  ASSERT_TRUE(report.ended_at);
  EXPECT_FALSE(report.failed);
  EXPECT_EQ(report.down(), 0ns);
  EXPECT_EQ(record(report, "/db").wanted, 1h);
}

TEST(Rehearse, AStopByAnOperatorIsNoOutage) {
  Storm storm;
  storm.incidents.push_back({.at = 1h, .kind = Kind::stop, .path = "/db"});
  storm.incidents.push_back({.at = 2h, .kind = Kind::start, .path = "/db"});
  const auto report = rehearse(tree({child("db")}), storm, {.length = 3h});
  EXPECT_EQ(report.down(), 0ns);
  EXPECT_EQ(record(report, "/db").wanted, 2h);
  EXPECT_EQ(record(report, "/db").starts, 2u);
}

TEST(Rehearse, AHangThatNothingLooksForLastsToTheEnd) {
  Storm storm;
  storm.incidents.push_back({.at = 1h, .kind = Kind::hang, .path = "/db"});
  const auto report = rehearse(tree({child("db")}), storm, {.length = 3h});
  ASSERT_THAT(report.worst, SizeIs(1));
  EXPECT_TRUE(report.worst[0].unnoticed);
  EXPECT_EQ(report.worst[0].length, 2h);
}

TEST(Rehearse, AHangIsEndedByTheWatchdog) {
  auto spec = tree({child("db")});
  spec.children[0].policy.watchdog = 20s;
  Storm storm;
  storm.incidents.push_back({.at = 1h, .kind = Kind::hang, .path = "/db"});
  const auto report = rehearse(spec, storm, {.length = 3h});
  ASSERT_THAT(report.worst, SizeIs(1));
  EXPECT_FALSE(report.worst[0].unnoticed);
  EXPECT_LT(report.worst[0].length, 1min);
  EXPECT_EQ(record(report, "/db").starts, 2u);
}

TEST(Rehearse, ChanceFollowsTheSeedAndTheRate) {
  Storm storm;
  storm.failures.push_back({.path = "/db", .every = 6h});
  const auto run = [&](std::uint64_t seed) {
    return rehearse(tree({child("db")}), storm, {.seed = seed, .length = 2400h});
  };
  const auto one = report_json(run(1));
  EXPECT_EQ(one, report_json(run(1)));
  EXPECT_NE(one, report_json(run(2)));
  EXPECT_NEAR(static_cast<double>(run(1).failures), 400, 60);  // 3 standard deviations
}

TEST(Rehearse, AShareOfTheStartsFails) {
  Storm storm;
  storm.failures.push_back({.path = "/db", .share = 0.25});
  storm.failures.push_back({.path = "/db", .every = 1h});
  auto spec = tree({child("db")});
  spec.restart_limit.reset();
  spec.children[0].policy.restart_limit.reset();
  const auto report = rehearse(spec, storm, {.length = 2400h});
  const auto& db = record(report, "/db");
  // Each start has 3 chances in 4 to live for an hour.
  EXPECT_NEAR(static_cast<double>(db.failures) / 2400, 4.0 / 3, 0.1);
}

TEST(Rehearse, PatternsAndPoolsMeanAllTheyFit) {
  auto spec = tree({child("web-1"), child("web-2"), child("db")});
  Storm storm;
  storm.incidents.push_back(exit_of("/web-*", 1h));
  const auto report = rehearse(spec, storm, {.length = 2h});
  EXPECT_EQ(record(report, "/web-1").failures, 1u);
  EXPECT_EQ(record(report, "/web-2").failures, 1u);
  EXPECT_EQ(record(report, "/db").failures, 0u);
}

TEST(Rehearse, WhatMeetsNobodyIsCounted) {
  Storm storm;
  storm.incidents.push_back(exit_of("/db", 1h));
  storm.incidents.push_back(exit_of("/db", 1h + 500ms));
  EXPECT_EQ(rehearse(tree({child("db")}), storm, {.length = 2h}).missed, 1u);
}

TEST(Rehearse, AChildThatNeverRestsIsToldOf) {
  auto spec = tree({child("db")});
  spec.children[0].policy.backoff.initial = 0s;
  spec.children[0].policy.backoff.max = 0s;
  spec.children[0].policy.restart_limit.reset();
  spec.restart_limit.reset();
  Storm storm;
  storm.incidents.push_back(
      {.at = 1h, .kind = Kind::outage, .path = "/db", .lasts = 1h, .after = 0s});
  EXPECT_THROW(static_cast<void>(rehearse(spec, storm, {.length = 2h})), std::logic_error);
}

TEST(StormProblems, NameWhoIsNotThereAndWhoIs) {
  Storm storm;
  storm.incidents.push_back(exit_of("/dp", 1h));
  const auto problems = storm_problems(storm, tree({child("db"), child("api")}));
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0], HasSubstr("no child is '/dp'; there are: /db, /api"));
  EXPECT_THAT(storm_problems({}, tree({})), IsEmpty());
}

}  // namespace
}  // namespace espalier::rehearsal
