#include "espalier/supervisor/observe/event_json.hpp"

#include "libsupervisor/observe/one_of_each.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

Event event_with(EventBody body, std::string path = "/db") {
  Event event;
  event.sequence = 18;
  event.epoch = 1763;
  event.at = std::chrono::sys_days{std::chrono::year{2025} / 11 / 21} + 12h + 1s + 123456us;
  event.monotonic = TimePoint{1500ns};
  event.path = std::move(path);
  event.body = std::move(body);
  return event;
}

std::string text_of(const Event& event) {
  std::string out;
  append_json(out, event);
  return out;
}

json parsed(const EventBody& body) {
  return json::parse(text_of(event_with(body)));
}

TEST(EventJson, AnExitReadsLikeThis) {
  auto event = event_with(events::ChildExited{{.kind = ExitKind::failed,
                                               .category = FailureCategory::recoverable,
                                               .code = 1,
                                               .message = "no space"},
                                              3000250us});
  event.generation = 4;
  event.attempt = 2;
  event.cause = {.caused_by = 16, .correlation = 17};
  EXPECT_EQ(text_of(event),
            R"({"type":"child_exited","sequence":18,"epoch":1763,)"
            R"("at":"2025-11-21T12:00:01.123456Z","monotonic_ns":1500,"path":"/db",)"
            R"("generation":4,"attempt":2,"correlation_id":"00000000000006e3885b22fa9342316f","caused_by":16,)"
            R"("severity":"warning","exit":{"kind":"failed","category":"recoverable","code":1,)"
            R"("message":"no space"},"uptime_ms":3000.25})");
}

TEST(EventJson, WhatIsNotThereIsLeftOut) {
  EXPECT_EQ(text_of(event_with(events::ChildRunning{})),
            R"({"type":"child_running","sequence":18,"epoch":1763,)"
            R"("at":"2025-11-21T12:00:01.123456Z","monotonic_ns":1500,"path":"/db",)"
            R"("severity":"debug"})");
}

TEST(EventJson, EveryTypeIsAnObjectWithTheCommonFields) {
  for (const auto& body : one_of_each()) {
    const auto object = parsed(body);
    EXPECT_EQ(object["type"], type_name(body));
    for (const char* field : {"sequence", "epoch", "at", "monotonic_ns", "path", "severity"}) {
      EXPECT_TRUE(object.contains(field)) << object["type"] << " without " << field;
    }
  }
}

TEST(EventJson, ADecisionCarriesItsExplanationAndEveryRule) {
  auto decision = std::make_shared<RestartDecision>();
  decision->verdict = Verdict::restart_after;
  decision->deciding_rule = Rule::backoff;
  decision->delay = 1600ms;
  decision->checks = {{.rule = Rule::supervisor_limit, .count = 3, .limit = 10, .window = 60s}};
  const auto object = parsed(events::RestartDecided{decision, {"/db", "/web"}, 40});
  EXPECT_EQ(object["verdict"], "restart_after");
  EXPECT_EQ(object["delay_ms"], 1600);
  EXPECT_EQ(object["rule"], "backoff");
  EXPECT_EQ(object["explanation"], explain("/db", *decision));
  EXPECT_EQ(object["scope"], (json{"/db", "/web"}));
  EXPECT_EQ(object["scope_size"], 40);
  EXPECT_EQ(object["checks"], json::parse(R"([{"rule":"supervisor_limit","decided":false,
                                              "count":3,"limit":10,"window_ms":60000}])"));
  decision->verdict = Verdict::leave_stopped;
  EXPECT_FALSE(parsed(events::RestartDecided{decision, {}, 0}).contains("delay_ms"));
}

TEST(EventJson, AShutdownReportCarriesChildrenCountsAndChecks) {
  auto report = std::make_shared<ShutdownReport>();
  report->cause = "SIGTERM";
  report->took = 2ms;
  report->children = {{.path = "/a",
                       .outcome = ChildShutdownOutcome::aborted,
                       .generation = 1,
                       .took = 1ms,
                       .exit = {.kind = ExitKind::aborted, .signal = 9, .core_dumped = true}},
                      {.path = "/b"}};
  report->reconcile.checks = {{.what = "threads", .checked = 2, .found = {"/a"}, .note = "left"}};
  EXPECT_EQ(parsed(events::ShutdownCompleted{report})["report"], json::parse(R"({
    "cause": "SIGTERM", "took_ms": 2,
    "children": [
      {"path": "/a", "outcome": "aborted", "generation": 1, "took_ms": 1,
       "exit": {"kind": "aborted", "category": "none", "signal": 9, "core_dumped": true}},
      {"path": "/b", "outcome": "already_exited", "generation": 0, "took_ms": 0}],
    "counts": {"already_exited": 1, "graceful": 0, "aborted": 1, "abort_failed": 0,
               "late_report": 0},
    "reconcile": {"clean": false, "checks": [
      {"what": "threads", "checked": 2, "found": ["/a"], "note": "left"}]}})"));
}

std::string status_field(const std::string& text) {
  const auto line = text_of(event_with(events::ChildStatusText{text}));
  EXPECT_EQ(json::parse(line)["text"].is_string(), true);
  const auto from = line.find("\"text\":") + 7;
  return line.substr(from, line.size() - 1 - from);
}

TEST(EventJson, StringsAreEscapedAndRepaired) {
  EXPECT_EQ(status_field("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(status_field("a\n\r\t\x01"), R"("a\n\r\t\u0001")");
  EXPECT_EQ(status_field("\x1b[31mred\x7f"), R"("\u001b[31mred\u007f")");
  EXPECT_EQ(status_field("\xc2\x9b"), R"("\u009b")") << "C1: one more way to begin an escape";
  EXPECT_EQ(status_field(std::string{"a\0b", 3}), R"("a\u0000b")");
  EXPECT_EQ(status_field("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(status_field("a\xff"
                         "b"),
            "\"a" + bad + "b\"");
  EXPECT_EQ(status_field("\xe2\x82"), "\"" + bad + bad + "\"") << "cut short";
  EXPECT_EQ(status_field("\xc0\xaf"), "\"" + bad + bad + "\"") << "overlong";
  EXPECT_EQ(status_field("\xe0\x80\xaf"), "\"" + bad + bad + bad + "\"") << "overlong";
  EXPECT_EQ(status_field("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"") << "surrogate";
  EXPECT_EQ(status_field("\xf4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"")
      << "past the last code point";
}

TEST(EventJson, EveryByteOfEveryStringLeavesValidJson) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 5) {
      const std::string text{static_cast<char>(first), static_cast<char>(second), 'x'};
      const auto line = text_of(event_with(events::ChildStatusText{text}, "/" + text));
      ASSERT_TRUE(json::accept(line)) << first << ' ' << second;
    }
  }
}

TEST(EventJson, ACommandNamesTheChildItWasAbout) {
  const events::CommandDone of_child{.command = "stop_child", .child = "/a"};
  EXPECT_EQ(parsed(of_child)["child"], "/a");
  EXPECT_FALSE(parsed(events::CommandDone{.command = "reload"}).contains("child"));
}

TEST(EventJson, DurationsAreExact) {
  const auto ms = [](Duration d) {
    const auto line = text_of(event_with(events::TreeStarted{d}));
    const auto from = line.find("duration_ms\":") + 13;
    return line.substr(from, line.size() - 1 - from);
  };
  EXPECT_EQ(ms(0ns), "0");
  EXPECT_EQ(ms(1ns), "0.000001");
  EXPECT_EQ(ms(250us), "0.25");
  EXPECT_EQ(ms(-1500us), "-1.5");
  EXPECT_EQ(ms(Duration::min()), "-9223372036854.775808");
  EXPECT_EQ(ms(Duration::max()), "9223372036854.775807");
}

TEST(EventsPage, NamesEveryTypeAndEveryFieldOfIt) {
  std::ifstream file{ESPALIER_SOURCE_DIR "/docs/events.md"};
  std::stringstream page;
  page << file.rdbuf();
  ASSERT_FALSE(page.str().empty()) << "docs/events.md cannot be read";
  for (const auto& body : one_of_each()) {
    const auto row_start = page.str().find(std::string{"| `"} + type_name(body) + "` |");
    ASSERT_NE(row_start, std::string::npos) << type_name(body) << " has no row in docs/events.md";
    const auto row = page.str().substr(row_start, page.str().find('\n', row_start) - row_start);
    static const auto common = parsed(events::ChildStopped{});
    const auto object = parsed(body);
    for (const auto& [field, value] : object.items()) {
      if (common.contains(field)) continue;
      EXPECT_NE(row.find("`" + field), std::string::npos)
          << "field " << field << " of " << type_name(body);
    }
  }
}

}  // namespace
}  // namespace espalier::supervisor
