#include "espalier/supervisor/trace/otlp_json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const TraceSource source{
    .service = "shop", .instance = "1795273653000000", .version = "1.2", .pid = 42};

Span a_span() {
  return {.trace = {1, 0xabc},
          .id = 0x10,
          .parent = 0x20,
          .name = "attempt",
          .begin = Span::Time{} + 1s,
          .end = Span::Time{} + 2500ms,
          .attributes = {{"espalier.path", "/db"},
                         {"espalier.exit.code", std::int64_t{-1}},
                         {"espalier.unfinished", true}},
          .moments = {{Span::Time{} + 2s, "child_ready", "is ready"}},
          .moments_left_out = 3,
          .link = Span::Link{{2, 3}, 4},
          .error = "exit code 1"};
}

json request_of(const std::vector<Span>& spans) {
  std::string out;
  append_otlp(out, source, spans);
  EXPECT_EQ(out.find('\n'), std::string::npos);
  return json::parse(out);
}

TEST(OtlpJson, ASpanHasTheNamesAndFormsOfTheProtocol) {
  const auto span = request_of({a_span()})["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(span, json::parse(R"({
    "traceId": "00000000000000010000000000000abc", "spanId": "0000000000000010",
    "parentSpanId": "0000000000000020", "name": "attempt", "kind": 1,
    "startTimeUnixNano": "1000000000", "endTimeUnixNano": "2500000000",
    "attributes": [{"key": "espalier.path", "value": {"stringValue": "/db"}},
                   {"key": "espalier.exit.code", "value": {"intValue": "-1"}},
                   {"key": "espalier.unfinished", "value": {"boolValue": true}}],
    "events": [{"timeUnixNano": "2000000000", "name": "child_ready",
                "attributes": [{"key": "message", "value": {"stringValue": "is ready"}}]}],
    "droppedEventsCount": 3,
    "links": [{"traceId": "00000000000000020000000000000003", "spanId": "0000000000000004"}],
    "status": {"code": 2, "message": "exit code 1"}})"));
}

TEST(OtlpJson, WhatASpanHasNotIsLeftOut) {
  const auto span = request_of({Span{}})["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  for (const auto* key : {"parentSpanId", "events", "links", "droppedEventsCount"})
    EXPECT_FALSE(span.contains(key)) << key;
  EXPECT_EQ(span["status"], json::object());
}

TEST(OtlpJson, SaysOnceWhoSpeaks) {
  const auto all = request_of({Span{}, Span{}})["resourceSpans"];
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["scopeSpans"][0]["spans"].size(), 2u);
  EXPECT_EQ(all[0]["scopeSpans"][0]["scope"],
            json::parse(R"({"name":"espalier","version":"1.2"})"));
  EXPECT_EQ(all[0]["resource"]["attributes"][0],
            json::parse(R"({"key":"service.name","value":{"stringValue":"shop"}})"));
  EXPECT_EQ(all[0]["resource"]["attributes"][3],
            json::parse(R"({"key":"process.pid","value":{"intValue":"42"}})"));
}

TEST(OtlpJson, LongAndBrokenTextsStayValid) {
  auto span = a_span();
  span.error = std::string(5000, 'x') + "\xff\n";
  span.attributes = {{"espalier.path", "\xff\xfe"}};
  const auto made = request_of({span})["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(made["status"]["message"].get<std::string>().size(), 4096u);
}

}  // namespace
}  // namespace espalier::supervisor
