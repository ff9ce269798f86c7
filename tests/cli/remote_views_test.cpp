#include "cli/remote_nodes.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/remote/status_view.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace espalier::cli {
namespace {

using supervisor::ChildPhase;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t out = 0;
  for (std::string line; std::getline(lines, line);)
    out = std::max(out, cell_width(line));
  return out;
}

std::vector<ipc::NodeInfo> sample() {
  ipc::NodeInfo api = test_node("/api/worker-with-a-rather-long-name-3", ChildPhase::backing_off);
  api.restarts = {4, 5, 60'000, 12};
  api.last_exit = ipc::ExitInfo{"failed", "recoverable", 1, {}, "no route to host"};
  api.pending_restart = ipc::PendingRestart{test_now + std::chrono::seconds{3}, "back-off"};
  api.last_decision = "/api/w3: permanent, exit code 1 -> restart in 3 s; 4 of 5 used";
  ipc::NodeInfo db = test_node("/db");
  db.pid = 4711;
  db.status_text = std::string("\x1b[2Jboom\xe2\x80\xae") + std::string(200, 'x');
  return {test_node("/"), db, test_node("/api"), api};
}

TEST(Table, CutsTheWidestColumnFirstAndFits) {
  Table table({{"A"}, {"LONG"}, {"N", true}});
  table.add({{"abc"}, {std::string(100, 'x')}, {"7"}});
  TestTerminal test;
  test.terminal.width = 40;
  const std::string text = table.render(test.terminal);
  EXPECT_EQ(widest(text), 40U);
  EXPECT_THAT(text, AllOf(HasSubstr("abc  xxx"), HasSubstr("..  7\n")));
  test.terminal.width = Terminal::unlimited;
  EXPECT_THAT(table.render(test.terminal), HasSubstr(std::string(100, 'x')));
}

TEST(Table, ColoursOnlyWhereTheyAreWanted) {
  Table table({{"A"}});
  table.add({{"bad", Ink::bad}});
  TestTerminal test;
  EXPECT_THAT(table.render(test.terminal), Not(HasSubstr("\x1b")));
  test.terminal.color = true;
  EXPECT_THAT(table.render(test.terminal), HasSubstr("\x1b[31mbad\x1b[0m"));
}

TEST(Views, FitEightyColumnsAndEscapeWhatStrangersWrote) {
  TestTerminal test;
  test.terminal.width = 80;
  StatusFacts facts;
  facts.hello.display_name = "demo\x1b]0;x\x07";
  facts.health.not_ready = {"/api/worker-with-a-rather-long-name-3"};
  facts.snapshot = test_snapshot(sample(), "degraded");
  facts.snapshot.counts = {{"ready", 3}, {"backing_off", 1}, {"total", 4}};
  facts.failures = {ipc::Json{{"type", "child_exited"},
                              {"at", "2026-01-31T12:03:07.001234Z"},
                              {"path", "/api/x"},
                              {"exit",
                               {{"kind", "failed"},
                                {"category", "recoverable"},
                                {"message", std::string(200, 'y') + "\x1b[2J"}}}}};
  facts.lines = {ipc::LogLine{test_now,
                              "/db",
                              1,
                              ipc::LogStream::err,
                              supervisor::Severity::info,
                              "\x1b[31mred" + std::string(200, 'z'),
                              {}}};
  const auto nodes = sample();
  for (const std::string& text :
       {render_status(facts, test.terminal), render_tree(facts.snapshot, test.terminal),
        render_list(nodes, test_now, test.terminal),
        render_node(nodes[1], test_now, test.terminal)}) {
    EXPECT_LE(widest(text), 80U) << text;
    EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << text;
    EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae"))) << text;
  }
}

TEST(Views, StatusNamesWhatSomebodyHolds) {
  TestTerminal test;
  StatusFacts facts;
  facts.snapshot = test_snapshot(sample(), "up");
  EXPECT_THAT(render_status(facts, test.terminal), Not(HasSubstr("Held by an operator")));
  auto& node = facts.snapshot.nodes.back();
  node.phase = supervisor::ChildPhase::stopped;
  node.intent = ipc::WireIntent::stopped;
  EXPECT_THAT(
      render_status(facts, test.terminal),
      AllOf(HasSubstr("Held by an operator"), HasSubstr(node.path + "  stopped by operator")));
}

TEST(Views, ColumnsFitAVeryNarrowTerminal) {
  TestTerminal test;
  test.terminal.width = 24;
  EXPECT_LE(widest(render_tree(test_snapshot(sample()), test.terminal)), 24U);
}

TEST(Tree, IsDrawnWithPhasesAndRemarks) {
  TestTerminal test;
  const std::string typed = render_tree(test_snapshot(sample()), test.terminal);
  EXPECT_THAT(typed,
              AllOf(StartsWith("/ "), HasSubstr("|- db"), HasSubstr("`- api"),
                    HasSubstr("   `- worker-with"), HasSubstr("backing_off"),
                    HasSubstr("restart in 3s"), HasSubstr("pid 4711"), HasSubstr("12 restarts")));
  test.terminal.unicode = true;
  EXPECT_THAT(render_tree(test_snapshot(sample()), test.terminal),
              AllOf(HasSubstr("├─ db"), HasSubstr("└─ api")));
  EXPECT_EQ(render_tree(test_snapshot({}), test.terminal), "");
}

TEST(Tree, OfASubtreeBeginsWithItsPath) {
  TestTerminal test;
  EXPECT_THAT(render_tree(test_snapshot({test_node("/api"), test_node("/api/w")}), test.terminal),
              AllOf(StartsWith("/api"), HasSubstr("`- w ")));
}

std::vector<std::string> paths_of(const std::vector<ipc::NodeInfo>& nodes) {
  std::vector<std::string> out;
  for (const auto& node : nodes)
    out.push_back(node.path);
  return out;
}

TEST(List, IsSortedAndFiltered) {
  ipc::NodeInfo a = test_node("/a");
  a.restarts.total = 1;
  ipc::NodeInfo b = test_node("/b", ChildPhase::quarantined);
  b.intent = ipc::WireIntent::quarantined;
  b.restarts.total = 9;
  b.since = test_now;
  const std::vector<ipc::NodeInfo> nodes = {b, a};
  EXPECT_THAT(paths_of(arrange(nodes, "path", "")), ElementsAre("/a", "/b"));
  EXPECT_THAT(paths_of(arrange(nodes, "restarts", "")), ElementsAre("/b", "/a"));
  EXPECT_THAT(paths_of(arrange(nodes, "since", "")), ElementsAre("/b", "/a"));
  EXPECT_THAT(paths_of(arrange(nodes, "state", "")), ElementsAre("/b", "/a"));
  EXPECT_THAT(paths_of(arrange(nodes, "path", "quarantined")), ElementsAre("/b"));
  EXPECT_THAT(paths_of(arrange(nodes, "path", "ready")), ElementsAre("/a"));
}

TEST(Status, ItsCodeSpeaks) {
  StatusFacts facts;
  facts.snapshot = test_snapshot({test_node("/")}, "up");
  EXPECT_EQ(status_code(facts), exit_done);
  for (const char* state : {"starting", "degraded", "stopping", "stopped", "failed"}) {
    facts.snapshot.state = state;
    EXPECT_EQ(status_code(facts), exit_unwell) << state;
  }
  facts.snapshot = test_snapshot({test_node("/a")}, "degraded");
  EXPECT_EQ(status_code(facts), exit_done);
  facts.snapshot = test_snapshot({test_node("/a", ChildPhase::paused)}, "up");
  EXPECT_EQ(status_code(facts), exit_unwell);
}

TEST(Why, ShowsTheRulesAndTheChain) {
  TestTerminal test;
  ipc::WhyResult why;
  why.sentence = "/a is quarantined: 6th restart within 1 min, limit 5";
  why.decision = ipc::DecisionInfo{};
  why.decision->verdict = "quarantine";
  why.decision->rules = {{"restart_type", false, 0, 0, 0, {}},
                         {"child_limit", true, 6, 5, 60'000, {}},
                         {"child_budget", false, 0, 0, 0, -1.5}};
  why.chain = {{R"({"type":"child_quarantined","path":"/a","reason":"limit"})"}};
  why.complete = false;
  const std::string text = render_why(why, test.terminal);
  EXPECT_THAT(
      text,
      AllOf(StartsWith(why.sentence), HasSubstr("Verdict: quarantine"), HasSubstr("6 of 5 in 1m"),
            HasSubstr("decided"), HasSubstr("-1.5 tokens left"),
            HasSubstr("child_quarantined: reason limit"), HasSubstr("older than the kept events")));
}

TEST(EventLine, TellsTheOwnFieldsOfAnyEvent) {
  TestTerminal test;
  EXPECT_EQ(event_line({{"type", "child_ready"},
                        {"sequence", 4},
                        {"at", "2026-01-31T12:03:07.001234Z"},
                        {"path", "/db"},
                        {"severity", "info"},
                        {"start_ms", 1500}},
                       test.terminal),
            "01-31 12:03:07.001  /db  child_ready: start 2s");
  EXPECT_EQ(event_text({{"type", "restart_decided"}, {"explanation", "because"}, {"verdict", "x"}}),
            "restart_decided: because");
  EXPECT_EQ(
      event_text({{"type", "child_exited"},
                  {"exit", {{"kind", "signalled"}, {"category", "recoverable"}, {"signal", 9}}},
                  {"uptime_ms", 250}}),
      "child_exited: signal 9 (recoverable), uptime 250ms");
  EXPECT_EQ(event_text({{"type", "new_one"}, {"list", {1, 2}}, {"n", 3}}), "new_one: n 3");
  EXPECT_EQ(event_text(ipc::Json::object()), "");
}

TEST(GapLine, SaysHowManyAndWhy) {
  TestTerminal test;
  EXPECT_EQ(gap_line({{"from", 4}, {"to", 15}, {"count", 12}, {"reason", "slow_reader"}}, "event",
                     test.terminal),
            "-- 12 events are missing (4 to 15): slow_reader --");
  EXPECT_EQ(gap_line({{"count", 0}, {"reason", "other_epoch"}}, "line", test.terminal),
            "-- some lines are missing: other_epoch --");
}

TEST(Words, SpansAreShort) {
  EXPECT_EQ(short_span(-5.0), "0s");
  EXPECT_EQ(short_span(0.2), "1ms");
  EXPECT_EQ(short_span(850.0), "850ms");
  EXPECT_EQ(short_span(59'000.0), "59s");
  EXPECT_EQ(short_span(200'000.0), "3m20s");
  EXPECT_EQ(short_span(4 * 3'600'000.0 + 720'000), "4h12m");
  EXPECT_EQ(short_span(100 * 3'600'000.0), "4d4h");
  EXPECT_EQ(short_bytes(512), "512 B");
  EXPECT_EQ(short_bytes(1536), "1.5 KiB");
  EXPECT_EQ(short_bytes(12UL << 20U), "12 MiB");
}

TEST(Words, AChildThatEndedBadlyIsFailedUnlessAnOperatorStoppedIt) {
  ipc::NodeInfo node = test_node("/a", ChildPhase::stopped);
  EXPECT_EQ(phase_word(node), "stopped");
  node.last_exit = ipc::ExitInfo{"failed", "fatal_bug", 1, {}, {}};
  EXPECT_EQ(phase_word(node), "failed");
  EXPECT_EQ(ink_of(node), Ink::bad);
  node.intent = ipc::WireIntent::stopped;
  EXPECT_EQ(phase_word(node), "stopped by operator");
}

TEST(SafeJson, HoldsNothingThatDrivesATerminal) {
  const std::string hostile = "a\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa6中";
  const std::string text = safe_json({{"m", hostile}});
  EXPECT_EQ(text, R"({"m":"a\u001b[2J\u007f\u009b\u202e\u2066中"})");
  EXPECT_EQ(ipc::Json::parse(text)["m"], hostile);
}

TEST(PoolSize, IsAbsoluteOrRelative) {
  EXPECT_EQ(pool_size("4", 2).value(), 4U);
  EXPECT_EQ(pool_size("+3", 2).value(), 5U);
  EXPECT_EQ(pool_size("-2", 2).value(), 0U);
  EXPECT_THAT(pool_size("-3", 2).error(), HasSubstr("more than there are"));
  for (const char* bad : {"", "+", "x", "4x", "--2", "1.5", "99999999999999999999"})
    EXPECT_FALSE(pool_size(bad, 2)) << bad;
}

}  // namespace
}  // namespace espalier::cli
