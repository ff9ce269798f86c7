#include "espalier/metrics/exposition.hpp"
#include "espalier/metrics/process_figures.hpp"
#include "espalier/metrics/tree_counters.hpp"
#include "espalier/metrics/tree_gauges.hpp"
#include "libsupervisor/metrics/scrape.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace espalier::metrics {
namespace {

using namespace std::chrono_literals;
namespace sv = espalier::supervisor;

/// A real tree, with everything that a program would show of it.
class TreeMetricsTest : public sv::testing::RuntimeFixture {
 protected:
  sv::SupervisorHandle run(sv::SupervisorSpec spec, std::size_t max_children = 10'000) {
    counters_ = std::make_shared<TreeCounters>(max_children);
    auto options = this->options();
    options.events.insert(options.events.begin(), counters_);
    options.probes = counters_;
    auto handle = sv::Supervisor::start(std::move(spec), factories_, options);
    if (!handle) throw std::runtime_error(handle.error().message);
    all_.add(counters_);
    all_.add(std::make_shared<TreeGauges>(*handle, max_children));
    all_.add(std::make_shared<ProcessFigures>("1.2.3", "g++ 12"));
    return *handle;
  }
  std::string value(const std::string& series) {
    const auto all = testing::series_of(all_.text());
    const auto found = all.find(series);
    return found == all.end() ? "none" : found->second;
  }
  /// Waits until a series has this value, for ten seconds.
  bool becomes(const std::string& series, const std::string& wanted) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (value(series) != wanted) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << series << " is " << value(series) << ", not " << wanted;
        return false;
      }
      std::this_thread::sleep_for(5ms);
    }
    return true;
  }
  static sv::ChildSpec failing(const std::string& name) {
    auto child = shell(name, "exit 3");
    child.policy.restart_limit = sv::RestartLimit{.max_restarts = 2, .window = 60s};
    return child;
  }

  std::shared_ptr<TreeCounters> counters_;
  Exposition all_;
};

TEST_F(TreeMetricsTest, ShowsACrashLoopUntilItsLimitIsUsedUp) {
  const auto handle = run({.children = {failing("db")}});
  const std::string db = "path=\"/\",child=\"db\"";
  ASSERT_TRUE(becomes("supervisor_meltdown_total{" + db + "}", "1"));
  EXPECT_TRUE(becomes("supervisor_child_state{" + db + ",state=\"quarantined\"}", "1"));
  EXPECT_EQ(value("supervisor_restart_total{" + db + ",decision=\"restart_after\"}"), "2");
  EXPECT_EQ(value("supervisor_child_uptime_seconds_count{" + db + "}"), "3");
  EXPECT_EQ(value("supervisor_backoff_seconds_count{" + db + ",decision=\"restart_after\"}"), "2");
  EXPECT_EQ(value("supervisor_child_runtime_restart_limit_remaining{" + db + "}"), "0");
  EXPECT_TRUE(
      becomes("supervisor_child_runtime_operation_transitions_total{from=\"active\","
              "to=\"quarantined\"}",
              "1"));
  EXPECT_EQ(value("espalier_children{phase=\"quarantined\"}"), "1");
}

TEST_F(TreeMetricsTest, ShowsAChildThatWaitsForItsRestart) {
  auto child = shell("db", "exit 3");
  child.policy.backoff.initial = 10min;
  child.policy.backoff.max = 10min;
  const auto handle = run({.children = {child, blocking("web")}});
  ASSERT_TRUE(becomes("supervisor_child_restart_pending", "1"));
  EXPECT_EQ(value("supervisor_child_state{path=\"/\",child=\"db\",state=\"backing_off\"}"), "1");
  EXPECT_EQ(value("supervisor_child_state{path=\"/\",child=\"web\",state=\"running\"}"), "1");
  EXPECT_EQ(value("espalier_children_unready"), "1");
  EXPECT_EQ(value("espalier_tree_ready"), "0");
}

TEST_F(TreeMetricsTest, GivesBackRestartsThatHaveLeftTheWindow) {
  factories_.add_blocking("once", [](sv::ChildContext& self) {
    if (self.generation() == 1) throw std::runtime_error("once");
    self.sleep_for(1h);
  });
  auto child = blocking("db", "once");
  child.policy.restart_limit = sv::RestartLimit{.max_restarts = 5, .window = 1s};
  const auto handle = run({.children = {child}});
  const std::string series =
      "supervisor_child_runtime_restart_limit_remaining{path=\"/\",child=\"db\"}";
  EXPECT_TRUE(becomes(series, "4"));
  EXPECT_TRUE(becomes(series, "5"));  // Though its supervisor has had nothing to do since.
}

TEST_F(TreeMetricsTest, TimesHealthChecksThatGoWellToo) {
  factories_.add_probe("well", [](const std::string&) { return true; });
  auto child = blocking("db");
  sv::ProbeSpec probe{.kind = sv::ProbeSpec::Kind::function, .function = "well"};
  probe.interval = 20ms;
  child.policy.health_check = std::make_shared<sv::ProbeSpec>(probe);
  const auto handle = run({.children = {child}});
  const std::string series = "supervisor_healthcheck_latency_seconds";
  const std::string db = "{path=\"/\",child=\"db\"}";
  ASSERT_TRUE(becomes(series + "_count" + db, "3"));
  EXPECT_GT(std::stod(value(series + "_sum" + db)), 0);
  EXPECT_LT(std::stod(value(series + "_sum" + db)), 3);
}

TEST_F(TreeMetricsTest, CountsAChildThatGivesNoSignsOfLife) {
  auto child = blocking("silent");
  child.policy.watchdog = 50ms;
  const auto handle = run({.children = {child}});
  ASSERT_TRUE(becomes("supervisor_child_runtime_heartbeat_stale_total", "1"));
  EXPECT_TRUE(
      becomes("supervisor_shutdown_abort_total{path=\"/\",phase=\"running\","
              "reason=\"runtime\"}",
              "1"));
}

TEST_F(TreeMetricsTest, ShowsCommandsAndTheFenceOfARestart) {
  const auto handle = run({.children = {blocking("db")}});
  ASSERT_TRUE(handle.restart_child("/db", meta_));
  ASSERT_TRUE(handle.pause_child("/db", meta_));
  ASSERT_TRUE(handle.pause_child("/db", meta_));
  ASSERT_FALSE(handle.pause_child("/nothing", meta_));
  ASSERT_TRUE(handle.resume_child("/db", meta_));
  const std::string command = "supervisor_child_control_command_total{command=";
  EXPECT_EQ(value(command + "\"pause_child\",result=\"accepted\"}"), "1");
  EXPECT_EQ(value(command + "\"pause_child\",result=\"idempotent\"}"), "1");
  EXPECT_EQ(value(command + "\"restart_child\",result=\"accepted\"}"), "1");
  const std::string fence = "supervisor_child_restart_fence_total{path=\"/\",child=\"db\",result=";
  EXPECT_EQ(value(fence + "\"entered\"}"), "2");  // For the pause too.
  EXPECT_EQ(value(fence + "\"released\"}"), "2");
  EXPECT_TRUE(
      becomes("supervisor_restart_total{path=\"/\",child=\"db\",decision=\"command\"}", "2"));
  const std::string wanted = "supervisor_child_runtime_operation_transitions_total{from=";
  EXPECT_EQ(value(wanted + "\"active\",to=\"paused\"}"), "1");
  EXPECT_EQ(value(wanted + "\"paused\",to=\"active\"}"), "1");
}

TEST_F(TreeMetricsTest, CountsACommandThatWasMeantForAnotherAttempt) {
  const auto handle = run({.children = {blocking("db")}});
  sv::Command command{.kind = sv::CommandKind::restart_child, .path = "/db", .meta = meta_};
  command.expected_generation = 7;
  ASSERT_FALSE(handle.execute(command));
  EXPECT_EQ(
      value("supervisor_child_restart_fence_total{path=\"/\",child=\"db\",result=\"rejected\"}"),
      "1");
}

TEST_F(TreeMetricsTest, NumbersReloads) {
  const auto handle = run({.children = {blocking("db")}});
  EXPECT_EQ(value("supervisor_config_version{path=\"/\"}"), "1");
  ASSERT_TRUE(handle.reload({.children = {blocking("db"), blocking("web")}}, meta_));
  EXPECT_EQ(value("supervisor_config_version{path=\"/\"}"), "2");
}

TEST_F(TreeMetricsTest, ShowsEverySupervisorAndHowItEnded) {
  sv::SupervisorSpec pack{.children = {blocking("x")}};
  const auto handle = run({.children = {subtree("pack", pack)}});
  const std::string alive = "supervisor_runtime_control_plane_alive{path=";
  EXPECT_EQ(value(alive + "\"/\",state=\"running\",phase=\"running\"}"), "1");
  EXPECT_EQ(value(alive + "\"/pack\",state=\"running\",phase=\"running\"}"), "1");
  ASSERT_TRUE(handle.stop_child("/pack", meta_));
  EXPECT_EQ(value(alive + "\"/pack\",state=\"stopped\",phase=\"running\"}"), "0");
  EXPECT_EQ(value("supervisor_runtime_control_loop_exit_total{path=\"/pack\",state=\"stopped\","
                  "phase=\"running\"}"),
            "1");
  ASSERT_TRUE(handle.shutdown(meta_));
  EXPECT_EQ(value(alive + "\"/\",state=\"stopped\",phase=\"shutdown\"}"), "0");
  EXPECT_EQ(value("supervisor_runtime_control_loop_exit_total{path=\"/\",state=\"stopped\","
                  "phase=\"shutdown\"}"),
            "1");
}

TEST_F(TreeMetricsTest, TellsHowAShutdownWent) {
  auto deaf = shell("deaf", "trap '' TERM; while :; do sleep 1; done");
  deaf.policy.stop.grace = 100ms;
  sv::SupervisorSpec spec{.children = {blocking("good"), deaf}};
  spec.shutdown.total_timeout = 3s;
  const auto handle = run(std::move(spec));
  std::this_thread::sleep_for(200ms);  // Until the shell has set its trap.
  ASSERT_TRUE(handle.shutdown(meta_));
  const std::string outcome = "supervisor_shutdown_child_outcomes_total{path=\"/\",status=";
  EXPECT_EQ(value(outcome + "\"graceful\",phase=\"graceful_drain\"}"), "1");
  EXPECT_EQ(value(outcome + "\"aborted\",phase=\"abort_stragglers\"}"), "1");
  const std::string took = "supervisor_shutdown_duration_seconds_count{path=\"/\",phase=";
  EXPECT_EQ(value(took + "\"all\",result=\"aborted\"}"), "1");
  EXPECT_EQ(value(took + "\"graceful_drain\",result=\"aborted\"}"), "1");
  EXPECT_EQ(value(took + "\"reconcile\",result=\"aborted\"}"), "1");
  const auto text = all_.text();
  EXPECT_NE(text.find("supervisor_shutdown_abort_total{path=\"/\""), std::string::npos);
}

TEST_F(TreeMetricsTest, CountsWhatASlowReaderMissed) {
  const auto handle = run({.children = {blocking("db")}});
  auto slow = handle.subscribe_events({}, 1, "slow");
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(handle.restart_child("/db", meta_));
  while (slow.next(0s)) {  // It keeps up again: now the tree is told.
  }
  ASSERT_TRUE(handle.pause_child("/db", meta_));
  const auto dropped = value("supervisor_event_lag_total{path=\"/\"}");
  EXPECT_GT(std::stod(dropped), 5);
}

TEST_F(TreeMetricsTest, AddsUpTheChildrenAboveTheCap) {
  sv::SupervisorSpec spec;
  for (int i = 0; i < 5; ++i)
    spec.children.push_back(blocking("c" + std::to_string(i)));
  const auto handle = run(std::move(spec), 2);
  EXPECT_EQ(value("supervisor_child_state{path=\"/\",child=\"c1\",state=\"running\"}"), "1");
  EXPECT_EQ(value("supervisor_child_state{path=\"/\",child=\"c2\",state=\"running\"}"), "none");
  EXPECT_EQ(value("supervisor_child_state{path=\"/\",child=\"(others)\",state=\"running\"}"), "3");
  EXPECT_EQ(value("espalier_children{phase=\"running\"}"), "5");
}

TEST_F(TreeMetricsTest, ShowsTheProcessAndItsBuild) {
  const auto handle = run({.children = {blocking("db")}});
  EXPECT_GT(std::stod(value("process_resident_memory_bytes")), 1e6);
  EXPECT_GT(std::stod(value("process_virtual_memory_bytes")), 1e6);
  EXPECT_GE(std::stod(value("process_cpu_seconds_total")), 0);
  EXPECT_GT(std::stod(value("process_open_fds")), 3);
  EXPECT_GT(std::stod(value("process_max_fds")), 3);
  EXPECT_GT(std::stod(value("process_threads")), 2);
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  EXPECT_NEAR(std::stod(value("process_start_time_seconds")), now.count(), 600);
  EXPECT_EQ(value("espalier_build_info{version=\"1.2.3\",compiler=\"g++ 12\"}"), "1");
  EXPECT_GT(std::stod(value("espalier_tree_uptime_seconds")), 0);
  EXPECT_EQ(value("espalier_tree_ready"), "1");
}

TEST_F(TreeMetricsTest, SaysTheSameAsTheSerializerOfPrometheus) {
  const auto handle = run({.children = {failing("db"), blocking("web")}});
  ASSERT_TRUE(becomes("espalier_children{phase=\"quarantined\"}", "1"));
  ASSERT_TRUE(handle.shutdown(meta_));  // From now on it stands still.
  const auto theirs = testing::series_of(prometheus::TextSerializer{}.Serialize(all_.Collect()));
  const auto ours = testing::series_of(all_.text());
  ASSERT_EQ(ours.size(), theirs.size());
  for (const auto& [series, text] : ours) {
    ASSERT_TRUE(theirs.contains(series)) << series;
    const bool stands_still =
        !series.starts_with("process_") && series != "espalier_tree_uptime_seconds";
    if (stands_still) {
      EXPECT_DOUBLE_EQ(std::stod(text), std::stod(theirs.at(series))) << series;
    }
  }
}

}  // namespace
}  // namespace espalier::metrics
