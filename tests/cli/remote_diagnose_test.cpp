#include "cli/remote_nodes.hpp"
#include "espalier/cli/remote/diagnose.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace espalier::cli {
namespace {

using namespace std::chrono_literals;
using supervisor::ChildPhase;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using Rank = Finding::Rank;

std::string time_before(std::chrono::seconds span) {
  std::string out;
  supervisor::json::append_timestamp(out, test_now - span);
  return out;
}

std::vector<Finding> of_node(const ipc::NodeInfo& node) {
  return diagnose({test_snapshot({node}), {}, {}});
}

auto has(Rank rank, const std::string& code) {
  return AllOf(Field(&Finding::rank, rank), Field(&Finding::code, code));
}

TEST(Diagnose, FindsNothingInAHealthyTree) {
  ipc::NodeInfo stopped = test_node("/b", ChildPhase::stopped);
  stopped.intent = ipc::WireIntent::stopped;
  EXPECT_THAT(diagnose({test_snapshot({test_node("/"), test_node("/a"), stopped}), {}, {}}),
              IsEmpty());
  TestTerminal test;
  EXPECT_EQ(render_findings({}, test.terminal), "nothing found\n");
}

ipc::Json event_of(const std::string& type, std::chrono::seconds age, ipc::Json more) {
  more["type"] = type;
  more["at"] = time_before(age);
  return more;
}

TEST(Diagnose, AJournalOrAnAuditThatCannotBeWrittenIsFoundForAnHour) {
  const auto of = [](const std::string& type, std::chrono::seconds age) {
    return diagnose({test_snapshot({}), {event_of(type, age, {{"error", "disk full"}})}, {}});
  };
  EXPECT_THAT(of("journal_error", 5min), ElementsAre(has(Rank::warning, "journal_error")));
  EXPECT_THAT(of("audit_failed", 5min), ElementsAre(has(Rank::critical, "audit_failed")));
  EXPECT_THAT(of("audit_failed", 5min).front().evidence, HasSubstr("disk full"));
  EXPECT_THAT(of("audit_failed", 61min), IsEmpty());
}

TEST(Diagnose, AReaderThatIsTooSlowIsNamedUntilItKeepsUp) {
  const auto alert = [](const std::string& level) {
    return event_of("backpressure_alert", 60s, {{"reader", "pid 7"}, {"level", level}});
  };
  const auto of = [](std::vector<ipc::Json> events) {
    return diagnose({test_snapshot({}), std::move(events), {}});
  };
  EXPECT_THAT(of({alert("warn")}), ElementsAre(has(Rank::note, "slow_subscriber")));
  EXPECT_THAT(of({alert("warn"), alert("recovered")}), IsEmpty());
  const auto lost = of({alert("critical"), alert("recovered"),
                        event_of("subscriber_lagged", 1s, {{"reader", "pid 7"}, {"dropped", 3}})});
  EXPECT_THAT(lost, ElementsAre(has(Rank::warning, "slow_subscriber")));
  EXPECT_THAT(lost.front().text, HasSubstr("pid 7"));
  EXPECT_THAT(lost.front().evidence, HasSubstr("3 events"));
}

std::vector<Finding> of_stages(std::vector<ipc::PipelineStageInfo> stages) {
  ipc::PipelineInfo pipeline;
  pipeline.path = "/harvest";
  pipeline.stages = std::move(stages);
  return diagnose({test_snapshot({}), {}, {}, {pipeline}});
}

TEST(Diagnose, AnOpenBreakerAndAStageThatFailsItsItemsAreFound) {
  EXPECT_THAT(of_stages({{.name = "fetch", .completed = 90, .failed = 10}}), IsEmpty());
  const auto open = of_stages({{.name = "fetch", .retrying = 2, .failed = 7, .breaker = "open"}});
  EXPECT_THAT(open, ElementsAre(has(Rank::warning, "breaker_open")));
  EXPECT_EQ(open.front().path, "/harvest");
  EXPECT_THAT(open.front().evidence, HasSubstr("7 items failed there, 2 wait"));
  EXPECT_EQ(open.front().look, "espalier pipelines /harvest");
  EXPECT_THAT(of_stages({{.name = "fetch", .completed = 9, .failed = 10, .breaker = "closed"}}),
              ElementsAre(has(Rank::warning, "items_fail")));
  EXPECT_THAT(of_stages({{.name = "fetch", .completed = 1, .failed = 9}}), IsEmpty());
}

TEST(Diagnose, OnlyTheLastFullStageIsTheBottleneck) {
  const ipc::PipelineStageInfo full{
      .name = "a", .workers = 2, .busy = 2, .capacity = 8, .queued = 6, .in_work = 2};
  auto slow = full;
  slow.name = "b";
  slow.service_ms = 1500;
  auto idle = full;
  idle.name = "c";
  idle.queued = 0;
  const auto found = of_stages({full, slow, idle});
  EXPECT_THAT(found, ElementsAre(has(Rank::note, "bottleneck")));
  EXPECT_THAT(found.front().text, HasSubstr("stage b is full"));
  EXPECT_THAT(found.front().evidence, HasSubstr("8 of 8 items, all 2 workers busy"));
  slow.busy = 1;
  EXPECT_THAT(of_stages({idle, slow}), IsEmpty());
}

TEST(Diagnose, ACrashLoopIsWorseOnceItsLimitIsUsedUp) {
  ipc::NodeInfo node = test_node("/a", ChildPhase::backing_off);
  node.restarts = {3, 10, 60'000, 3};
  node.last_exit = ipc::ExitInfo{"failed", "recoverable", 1, {}, "boom"};
  const auto found = of_node(node);
  EXPECT_THAT(found, ElementsAre(has(Rank::warning, "crash_loop")));
  EXPECT_THAT(found.front().evidence, AllOf(HasSubstr("3/10 in 1m"), HasSubstr("boom")));
  EXPECT_EQ(found.front().look, "espalier why /a");
  node.restarts.used = 10;
  EXPECT_THAT(of_node(node), ElementsAre(has(Rank::critical, "crash_loop")));
  node.restarts = {2, 10, 60'000, 2};
  EXPECT_THAT(of_node(node), IsEmpty());
  node.attempt = 3;
  EXPECT_THAT(of_node(node), ElementsAre(has(Rank::warning, "crash_loop")));
}

TEST(Diagnose, ARootNearItsLimitIsCritical) {
  ipc::NodeInfo root = test_node("/");
  root.restarts = {6, 10, 60'000, 6};
  EXPECT_THAT(of_node(root), IsEmpty());
  root.restarts.used = 7;
  EXPECT_THAT(of_node(root), ElementsAre(has(Rank::critical, "near_escalation")));
  ipc::NodeInfo scope = root;
  scope.path = "/s";
  EXPECT_THAT(of_node(scope), ElementsAre(has(Rank::warning, "near_limit")));
}

TEST(Diagnose, ChildrenThatStayDownAreFound) {
  for (const auto& [phase, code] : {std::pair{ChildPhase::quarantined, "quarantined"},
                                    {ChildPhase::held, "held"},
                                    {ChildPhase::abandoned, "abandoned"},
                                    {ChildPhase::suspended, "suspended"}}) {
    EXPECT_THAT(of_node(test_node("/a", phase)), ElementsAre(Field(&Finding::code, code))) << code;
  }
  ipc::NodeInfo failed = test_node("/a", ChildPhase::stopped);
  failed.last_exit = ipc::ExitInfo{"failed", "fatal_bug", {}, {}, {}};
  EXPECT_THAT(of_node(failed), ElementsAre(has(Rank::warning, "failed")));
}

TEST(Diagnose, WaitingNamesWhatItWaitsFor) {
  const ipc::NodeInfo node = test_node("/a", ChildPhase::blocked);
  const ipc::Json event = {{"type", "child_blocked"}, {"path", "/a"}, {"waits_for", "/db"}};
  const auto found = diagnose({test_snapshot({node}), {event}, {}});
  EXPECT_THAT(found, ElementsAre(has(Rank::warning, "waiting")));
  EXPECT_THAT(found.front().evidence, HasSubstr("/db"));
  EXPECT_EQ(found.front().look, "espalier why /db");
  EXPECT_THAT(of_node(test_node("/a", ChildPhase::gated)),
              ElementsAre(has(Rank::warning, "waiting")));
  EXPECT_THAT(of_node(test_node("/a", ChildPhase::queued)),
              ElementsAre(has(Rank::warning, "budget_owed")));
}

TEST(Diagnose, TimeMakesAStartAStopAndUnreadinessFindings) {
  ipc::NodeInfo node = test_node("/a", ChildPhase::starting);
  EXPECT_THAT(of_node(node), ElementsAre(has(Rank::warning, "slow_start")));
  node.since = test_now - std::chrono::seconds{5};
  EXPECT_THAT(of_node(node), IsEmpty());
  EXPECT_THAT(of_node(test_node("/a", ChildPhase::aborting)),
              ElementsAre(has(Rank::warning, "slow_stop")));
  ipc::NodeInfo unready = test_node("/a", ChildPhase::idle);
  unready.health = "unready";
  EXPECT_THAT(of_node(unready), ElementsAre(has(Rank::warning, "not_started")));
}

TEST(Diagnose, AStormAndAnEscalationComeFromTheEvents) {
  DiagnoseFacts facts{test_snapshot({test_node("/")}), {}, {}};
  for (int i = 0; i < 10; ++i) {
    facts.events.push_back({{"type", "child_exited"},
                            {"severity", "warning"},
                            {"at", time_before(std::chrono::seconds{i})},
                            {"path", "/c" + std::to_string(i)}});
  }
  EXPECT_THAT(diagnose(facts), ElementsAre(has(Rank::critical, "failure_storm")));
  facts.events.front()["at"] = time_before(std::chrono::minutes{2});
  EXPECT_THAT(diagnose(facts), IsEmpty());
  facts.events = {{{"type", "escalated"},
                   {"at", time_before(std::chrono::minutes{2})},
                   {"path", "/s"},
                   {"to", "/"},
                   {"reason", "limit"}}};
  EXPECT_THAT(diagnose(facts), ElementsAre(has(Rank::warning, "escalated")));
}

TEST(Diagnose, SlowReadersAndRefusalsComeFromTheAudit) {
  DiagnoseFacts facts{test_snapshot({test_node("/")}), {}, {}};
  ipc::AuditRecord record;
  record.at = test_now - std::chrono::minutes{1};
  record.decision = "refused";
  record.detail = "too_slow";
  facts.audit.push_back(record);
  record.detail = "forbidden";
  facts.audit.push_back(record);
  record.detail = "invalid_params";
  facts.audit.push_back(record);
  record.detail = "too_slow";
  record.at = test_now - std::chrono::hours{2};
  facts.audit.push_back(record);
  const auto found = diagnose(facts);
  EXPECT_THAT(found, ElementsAre(has(Rank::warning, "slow_reader"), has(Rank::note, "refused")));
  EXPECT_THAT(found.front().evidence, HasSubstr("1 time "));
}

TEST(Diagnose, TheWorstComesFirstAndFitsTheTerminal) {
  ipc::NodeInfo root = test_node("/");
  root.restarts = {10, 10, 60'000, 10};
  ipc::NodeInfo down = test_node("/a", ChildPhase::quarantined);
  down.last_decision = "\x1b[2J" + std::string(300, 'x') + " " + std::string(60, 'y');
  const auto found = diagnose({test_snapshot({down, root}, "failed"), {}, {}});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].rank, Rank::critical);
  EXPECT_EQ(found[2].code, "quarantined");
  TestTerminal test;
  test.terminal.width = 60;
  std::istringstream lines(render_findings(found, test.terminal));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(cell_width(line), 60U) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
  EXPECT_EQ(json_of(found[2])["code"], "quarantined");
}

}  // namespace
}  // namespace espalier::cli
