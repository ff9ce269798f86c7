#include "espalier/metrics/tree_counters.hpp"

#include "libsupervisor/metrics/scrape.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::metrics {
namespace {

using namespace std::chrono_literals;
namespace sv = espalier::supervisor;
using namespace sv::events;

class TreeCountersTest : public ::testing::Test {
 protected:
  explicit TreeCountersTest(std::size_t max_children = 1000) : counters_(max_children) {}

  void tell(const std::string& path, sv::EventBody body, std::uint64_t generation = 1) {
    sv::Event event;
    event.path = path;
    event.generation = generation;
    event.monotonic = now_;
    event.body = std::move(body);
    counters_.publish(event);
  }
  void decide(const std::string& path, sv::Verdict verdict, sv::Duration delay = {}) {
    auto decision = std::make_shared<sv::RestartDecision>();
    decision->verdict = verdict;
    decision->delay = delay;
    tell(path, RestartDecided{.decision = decision});
  }
  void command(const std::string& name, const std::string& result, const std::string& child = "") {
    tell("/", CommandDone{.command = name, .result = result, .child = child});
  }
  void stage(const std::string& path, sv::ShutdownStage what) {
    tell(path, ShutdownStageReached{what});
  }
  std::string value(const std::string& series) { return testing::value_of(counters_, series); }

  TreeCounters counters_;
  sv::TimePoint now_ = sv::TimePoint{} + 1h;
};

// --- attempts ----------------------------------------------------------------------------------

TEST_F(TreeCountersTest, CountsARestartByTheDecisionThatLedToIt) {
  decide("/a/db", sv::Verdict::restart_after, 2s);
  tell("/a/db", ChildReady{}, 2);
  decide("/a/db", sv::Verdict::restart_now);
  tell("/a/db", ChildReady{}, 3);
  decide("/a/db", sv::Verdict::restart_queued, 5s);
  tell("/a/db", ChildReady{}, 4);
  const std::string series = "supervisor_restart_total{path=\"/a\",child=\"db\",decision=";
  EXPECT_EQ(value(series + "\"restart_after\"}"), "1");
  EXPECT_EQ(value(series + "\"restart_now\"}"), "1");
  EXPECT_EQ(value(series + "\"restart_queued\"}"), "1");
}

TEST_F(TreeCountersTest, CountsNoFirstStartAsARestart) {
  tell("/db", ChildReady{}, 1);
  EXPECT_EQ(testing::text_of(counters_).find("supervisor_restart_total{"), std::string::npos);
}

TEST_F(TreeCountersTest, CountsSiblingsThatAreRestartedAlongAsScope) {
  tell("/web", ChildStopping{sv::StopCause::strategy});
  tell("/web", ChildReady{}, 2);
  EXPECT_EQ(value("supervisor_restart_total{path=\"/\",child=\"web\",decision=\"scope\"}"), "1");
}

TEST_F(TreeCountersTest, CountsARestartThatWasCommanded) {
  tell("/web", ChildStopping{sv::StopCause::command});
  tell("/web", ChildReady{}, 2);
  EXPECT_EQ(value("supervisor_restart_total{path=\"/\",child=\"web\",decision=\"command\"}"), "1");
}

TEST_F(TreeCountersTest, PutsLivesIntoAHistogram) {
  tell("/db", ChildExited{.uptime = 5s});
  tell("/db", ChildExited{.uptime = 90s});
  const std::string labels = "path=\"/\",child=\"db\"";
  EXPECT_EQ(value("supervisor_child_uptime_seconds_bucket{" + labels + ",le=\"10\"}"), "1");
  EXPECT_EQ(value("supervisor_child_uptime_seconds_count{" + labels + "}"), "2");
  EXPECT_EQ(value("supervisor_child_uptime_seconds_sum{" + labels + "}"), "95");
}

TEST_F(TreeCountersTest, PutsWaitsBeforeRestartsIntoAHistogram) {
  decide("/db", sv::Verdict::restart_after, 1500ms);
  const std::string labels = "path=\"/\",child=\"db\",decision=\"restart_after\"";
  EXPECT_EQ(value("supervisor_backoff_seconds_sum{" + labels + "}"), "1.5");
  EXPECT_EQ(value("supervisor_backoff_seconds_count{" + labels + "}"), "1");
}

TEST_F(TreeCountersTest, PutsHealthChecksButNoReadinessIntoAHistogram) {
  counters_.probed({.path = "/db", .is_health_check = true, .ok = true, .took = 20ms});
  counters_.probed({.path = "/db", .is_health_check = false, .ok = true, .took = 20ms});
  const std::string series =
      "supervisor_healthcheck_latency_seconds_count{path=\"/\",child=\"db\"}";
  EXPECT_EQ(value(series), "1");
}

TEST_F(TreeCountersTest, CountsLimitsThatAreUsedUpAtTheChildOrAtItsSupervisor) {
  tell("/a/db", FuseTripped{.scope = "child"});
  tell("/a/db", FuseTripped{.scope = "group io"});
  tell("/a", FuseTripped{.scope = "supervisor"});
  EXPECT_EQ(value("supervisor_meltdown_total{path=\"/a\",child=\"db\"}"), "2");
  EXPECT_EQ(value("supervisor_meltdown_total{path=\"/a\",child=\"(all)\"}"), "1");
}

TEST_F(TreeCountersTest, CountsSilentWatchdogsButNoFailedChecksAsStaleHeartbeats) {
  tell("/db", ChildUnhealthy{.probe = "watchdog"});
  tell("/db", ChildUnhealthy{.probe = "tcp 127.0.0.1:80"});
  EXPECT_EQ(value("supervisor_child_runtime_heartbeat_stale_total"), "1");
}

TEST_F(TreeCountersTest, CountsReportsOfAttemptsThatAreOver) {
  tell("/db", StaleReport{3});
  const std::string series = "supervisor_child_attempt_stale_report_total{handled_as=\"ignored\"}";
  EXPECT_EQ(value(series), "1");
}

// --- what operators do -------------------------------------------------------------------------

TEST_F(TreeCountersTest, CountsCommandsByWhatCameOfThem) {
  command("pause_child", "done");
  command("pause_child", "unchanged");
  command("pause_child", "not_found");
  const std::string series = "supervisor_child_control_command_total{command=\"pause_child\",";
  EXPECT_EQ(value(series + "result=\"accepted\"}"), "1");
  EXPECT_EQ(value(series + "result=\"idempotent\"}"), "1");
  EXPECT_EQ(value(series + "result=\"failed\"}"), "1");
}

TEST_F(TreeCountersTest, CountsChangesOfWhatIsWantedOfAChild) {
  tell("/db", ChildPaused{});
  tell("/db", ChildPaused{});
  tell("/db", ChildResumed{});
  tell("/db", ChildQuarantined{});
  tell("/db", ChildStarting{}, 2);
  tell("/db", ChildRemoved{});
  const std::string series = "supervisor_child_runtime_operation_transitions_total{from=";
  EXPECT_EQ(value(series + "\"active\",to=\"paused\"}"), "1");
  EXPECT_EQ(value(series + "\"paused\",to=\"active\"}"), "1");
  EXPECT_EQ(value(series + "\"active\",to=\"quarantined\"}"), "1");
  EXPECT_EQ(value(series + "\"quarantined\",to=\"active\"}"), "1");
  EXPECT_EQ(value(series + "\"active\",to=\"removed\"}"), "1");
}

TEST_F(TreeCountersTest, FollowsTheFenceOfACommandedRestart) {
  const std::string series = "supervisor_child_restart_fence_total{path=\"/\",child=\"db\",result=";
  tell("/db", ChildStopping{sv::StopCause::command});
  EXPECT_EQ(value(series + "\"entered\"}"), "1");
  tell("/db", ChildAborted{});
  EXPECT_EQ(value(series + "\"abort_requested\"}"), "1");
  EXPECT_EQ(value(series + "\"released\"}"), "none");
  tell("/db", ChildExited{});
  EXPECT_EQ(value(series + "\"released\"}"), "1");
  command("restart_child", "done", "/db");
  EXPECT_EQ(value(series + "\"already_pending\"}"), "none");
  command("restart_child", "done", "/db");  // At the same moment: it had joined the first.
  EXPECT_EQ(value(series + "\"already_pending\"}"), "1");
  command("stop_child", "stale_generation", "/db");
  EXPECT_EQ(value(series + "\"rejected\"}"), "1");
}

TEST_F(TreeCountersTest, CountsNoStopOfAShutdownAsAFence) {
  tell("/db", ChildStopping{sv::StopCause::shutdown});
  tell("/db", ChildExited{});
  EXPECT_EQ(testing::text_of(counters_).find("restart_fence_total{"), std::string::npos);
}

TEST_F(TreeCountersTest, NumbersTheConfigurationsOfASupervisorFromOne) {
  EXPECT_EQ(value("supervisor_config_version{path=\"/\"}"), "1");
  tell("/", PlanApplied{.added = 1});
  tell("/a", PlanApplied{.changed = 1});
  tell("/a", PlanApplied{.changed = 1});
  EXPECT_EQ(value("supervisor_config_version{path=\"/\"}"), "2");
  EXPECT_EQ(value("supervisor_config_version{path=\"/a\"}"), "3");
}

TEST_F(TreeCountersTest, AddsUpWhatSlowReadersMissed) {
  EXPECT_EQ(value("supervisor_event_lag_total{path=\"/\"}"), "0");
  tell("/", SubscriberLagged{.reader = "x", .dropped = 7});
  tell("/", SubscriberLagged{.reader = "y", .dropped = 5});
  EXPECT_EQ(value("supervisor_event_lag_total{path=\"/\"}"), "12");
}

TEST_F(TreeCountersTest, CountsEveryEventByItsType) {
  tell("/db", ChildReady{});
  tell("/web", ChildReady{});
  tell("/", BackpressureAlert{.level = "warn"});
  EXPECT_EQ(value("espalier_events_total{type=\"child_ready\"}"), "2");
  EXPECT_EQ(value("espalier_events_total{type=\"child_exited\"}"), "0");
  EXPECT_EQ(value("espalier_backpressure_alerts_total{level=\"warn\"}"), "1");
}

// --- shutdowns ---------------------------------------------------------------------------------

TEST_F(TreeCountersTest, TimesTheStagesOfAShutdown) {
  stage("/", sv::ShutdownStage::request_stop);
  stage("/", sv::ShutdownStage::graceful_drain);
  now_ += 3s;
  stage("/", sv::ShutdownStage::abort_stragglers);
  tell("/db", ChildAborted{});
  now_ += 1s;
  tell("/", TreeStopped{"stopped"});
  stage("/", sv::ShutdownStage::reconcile);
  auto report = std::make_shared<sv::ShutdownReport>();
  report->took = 4s;
  report->children.push_back({.path = "/db", .outcome = sv::ChildShutdownOutcome::aborted});
  tell("/", ShutdownCompleted{report});
  const std::string series = "supervisor_shutdown_duration_seconds_sum{path=\"/\",phase=";
  EXPECT_EQ(value(series + "\"graceful_drain\",result=\"aborted\"}"), "3");
  EXPECT_EQ(value(series + "\"abort_stragglers\",result=\"aborted\"}"), "1");
  EXPECT_EQ(value(series + "\"reconcile\",result=\"aborted\"}"), "0");
  EXPECT_EQ(value(series + "\"all\",result=\"aborted\"}"), "4");
  EXPECT_EQ(value("supervisor_shutdown_abort_total{path=\"/\",phase=\"abort_stragglers\","
                  "reason=\"timeout\"}"),
            "1");
}

TEST_F(TreeCountersTest, TellsWhoEndedAChildByForce) {
  const std::string series = "supervisor_shutdown_abort_total{path=\"/\",phase=";
  tell("/db", ChildAborted{});  // Unwell, or past its time, while the tree runs.
  EXPECT_EQ(value(series + "\"running\",reason=\"runtime\"}"), "1");
  stage("/", sv::ShutdownStage::abort_stragglers);  // Nobody was asked before: end it at once.
  tell("/db", ChildAborted{});
  tell("/db", ChildAbortFailed{});
  tell("/", TreeStopped{"stopped"});
  EXPECT_EQ(value(series + "\"abort_stragglers\",reason=\"operator\"}"), "1");
  EXPECT_EQ(value(series + "\"abort_stragglers\",reason=\"abort_failed\"}"), "1");
}

TEST_F(TreeCountersTest, CountsWhatBecameOfEachChildAndWhoReportedLate) {
  auto report = std::make_shared<sv::ShutdownReport>();
  using enum sv::ChildShutdownOutcome;
  report->children = {{.path = "/a/x", .outcome = graceful},
                      {.path = "/a/y", .outcome = graceful},
                      {.path = "/z", .outcome = already_exited},
                      {.path = "/late", .outcome = late_report}};
  tell("/", ShutdownCompleted{report});
  const std::string series = "supervisor_shutdown_child_outcomes_total{path=";
  EXPECT_EQ(value(series + "\"/a\",status=\"graceful\",phase=\"graceful_drain\"}"), "2");
  EXPECT_EQ(value(series + "\"/\",status=\"already_exited\",phase=\"request_stop\"}"), "1");
  EXPECT_EQ(value("supervisor_shutdown_late_reports_total{path=\"/\",phase=\"reconcile\"}"), "1");
}

TEST_F(TreeCountersTest, CountsSupervisorsThatEnd) {
  const std::string series = "supervisor_runtime_control_loop_exit_total{path=";
  tell("/a", TreeStopped{"failed"});
  EXPECT_EQ(value(series + "\"/a\",state=\"failed\",phase=\"running\"}"), "1");
  tell("/b", TreeStopped{"start_failed"});
  EXPECT_EQ(value(series + "\"/b\",state=\"start_failed\",phase=\"startup\"}"), "1");
  stage("/", sv::ShutdownStage::request_stop);
  tell("/a", TreeStopped{"stopped"});
  EXPECT_EQ(value(series + "\"/a\",state=\"stopped\",phase=\"shutdown\"}"), "1");
}

// --- bounds ------------------------------------------------------------------------------------

class BoundedCountersTest : public TreeCountersTest {
 protected:
  BoundedCountersTest() : TreeCountersTest(2) {}
};

TEST_F(BoundedCountersTest, AddsUpChildrenAboveTheCapAtTheirSupervisor) {
  for (int i = 0; i < 10; ++i) {
    const auto path = "/a/c" + std::to_string(i);
    decide(path, sv::Verdict::restart_now);
    tell(path, ChildReady{}, 2);
    tell(path, ChildExited{.uptime = 1s});
  }
  EXPECT_EQ(value("supervisor_restart_total{path=\"/a\",child=\"c1\",decision=\"restart_now\"}"),
            "1");
  EXPECT_EQ(
      value("supervisor_restart_total{path=\"/a\",child=\"(others)\",decision=\"restart_now\"}"),
      "8");
  EXPECT_EQ(value("supervisor_child_uptime_seconds_count{path=\"/a\",child=\"(others)\"}"), "8");
}

TEST_F(BoundedCountersTest, RemembersOfChildrenAboveTheCapWhatTheirNextEventNeeds) {
  decide("/a", sv::Verdict::restart_now);
  decide("/b", sv::Verdict::restart_now);
  decide("/c", sv::Verdict::restart_after, 1s);
  decide("/d", sv::Verdict::restart_queued, 1s);
  tell("/c", ChildReady{}, 2);
  tell("/d", ChildReady{}, 2);
  const std::string series = "supervisor_restart_total{path=\"/\",child=\"(others)\",decision=";
  EXPECT_EQ(value(series + "\"restart_after\"}"), "1");
  EXPECT_EQ(value(series + "\"restart_queued\"}"), "1");
}

TEST_F(TreeCountersTest, KeepsWhatARemovedChildCameToButNotItsSeries) {
  decide("/a/old", sv::Verdict::restart_now);
  tell("/a/old", ChildReady{}, 2);
  tell("/a/old", ChildRemoved{});
  const std::string tail = ",decision=\"restart_now\"}";
  EXPECT_EQ(value("supervisor_restart_total{path=\"/a\",child=\"old\"" + tail), "none");
  EXPECT_EQ(value("supervisor_restart_total{path=\"/a\",child=\"(others)\"" + tail), "1");
}

TEST_F(TreeCountersTest, GathersWhatWasBelowARemovedSupervisorAtTheOneAboveIt) {
  for (const auto* path : {"/a/b/x", "/a/b/y", "/a/b", "/a/bc"}) {
    decide(path, sv::Verdict::restart_now);
    tell(path, ChildReady{}, 2);
  }
  tell("/a/b/y", ChildRemoved{});  // Has been gathered at /a/b before that goes.
  EXPECT_NE(testing::text_of(counters_).find("path=\"/a/b\",child=\"(others)\""),
            std::string::npos);
  tell("/a/b", ChildRemoved{});
  const std::string tail = ",decision=\"restart_now\"}";
  EXPECT_EQ(value("supervisor_restart_total{path=\"/a\",child=\"(others)\"" + tail), "3");
  EXPECT_EQ(value("supervisor_restart_total{path=\"/a\",child=\"bc\"" + tail), "1");
  EXPECT_EQ(testing::text_of(counters_).find("path=\"/a/b\""), std::string::npos);
}

TEST_F(BoundedCountersTest, HasSoManySeriesHoweverManyChildrenComeAndGo) {
  for (int i = 0; i < 20'000; ++i) {
    const auto path = "/s" + std::to_string(i % 700) + "/c" + std::to_string(i);
    tell(path, FuseTripped{.scope = "child"});
    tell(path, TreeStopped{"failed"});
    command("c" + std::to_string(i), "done");
    tell(path, ChildRemoved{});
  }
  // At most so many sums of supervisors, and two tables of 512 series.
  EXPECT_LT(testing::scrape(counters_).size(), 300U + 2 * 513 + 100);
}

TEST_F(TreeCountersTest, ForgetsRemovedChildrenThoughNobodyLooks) {
  for (int i = 0; i < 100'000; ++i) {
    const auto path = "/c" + std::to_string(i);
    tell(path, FuseTripped{.scope = "child"});
    tell(path, ChildRemoved{});
  }
  // A thousand fit; if they were not forgotten meanwhile this one would be among the others.
  tell("/last", FuseTripped{.scope = "child"});
  EXPECT_EQ(value("supervisor_meltdown_total{path=\"/\",child=\"last\"}"), "1");
  EXPECT_EQ(value("supervisor_meltdown_total{path=\"/\",child=\"(others)\"}"), "100000");
}

TEST_F(TreeCountersTest, LosesNothingWhenManyThreadsCountAndSomebodyLooks) {
  constexpr int rounds = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const auto own = "/own" + std::to_string(t);
      for (int i = 0; i < rounds; ++i) {
        tell("/shared", FuseTripped{.scope = "child"});
        tell(own, FuseTripped{.scope = "child"});
      }
    });
  }
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const auto text = value("supervisor_meltdown_total{path=\"/\",child=\"shared\"}");
    const auto seen = text == "none" ? 0 : std::stoull(text);
    EXPECT_GE(seen, last);
    last = seen;
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(value("supervisor_meltdown_total{path=\"/\",child=\"shared\"}"), "20000");
  EXPECT_EQ(value("supervisor_meltdown_total{path=\"/\",child=\"own3\"}"), "5000");
  EXPECT_EQ(value("espalier_events_total{type=\"fuse_tripped\"}"), "40000");
}

// --- the list of families ----------------------------------------------------------------------

/// Notes what is written against what was promised.
class Checker final : public Writer {
 public:
  void family(const Family& family) override {
    EXPECT_TRUE(seen.insert(std::string{family.name}).second) << family.name << " comes twice";
    labels_ = family.labels;
  }
  void sample(Labels labels, double) override { check(labels); }
  void histogram(Labels labels, const HistogramValue&) override { check(labels); }
  std::set<std::string> seen = {};

 private:
  void check(Labels labels) const {
    std::string names;
    for (const auto& label : labels)
      names += (names.empty() ? "" : ",") + std::string{label.name};
    EXPECT_EQ(names, labels_);
  }
  std::string_view labels_ = {};
};

TEST_F(TreeCountersTest, WritesTheFamiliesItLists) {
  decide("/db", sv::Verdict::restart_after, 1s);
  tell("/db", ChildReady{}, 2);
  tell("/db", ChildExited{.uptime = 5s});
  Checker checker;
  counters_.write(checker);
  std::set<std::string> listed;
  for (const auto& family : TreeCounters::families())
    listed.emplace(family.name);
  EXPECT_EQ(checker.seen, listed);
}

}  // namespace
}  // namespace espalier::metrics
