#include "espalier/supervisor/trace/otlp_json.hpp"

#include "espalier/supervisor/observe/json_object.hpp"

#include <string_view>

namespace espalier::supervisor {

namespace {

using json::JsonObject;

constexpr std::size_t longest_text = 4096;

// Of the protocol: what a span is to a collector, and how it ended.
constexpr std::uint32_t kind_internal = 1;
constexpr std::uint32_t status_error = 2;

void add_hex(JsonObject& json, std::string_view key, auto id) {
  std::string hex;
  append_hex(hex, id);
  json.text(key, hex);
}

// Numbers of 64 bits are texts in this form.
void add_time(JsonObject& json, std::string_view key, Span::Time at) {
  const auto since_1970 =
      std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch());
  json.text(key, std::to_string(since_1970.count()));
}

struct AppendValue {
  std::string& out;
  void operator()(const std::string& text) const {
    JsonObject{out}.text("stringValue", std::string_view{text}.substr(0, longest_text));
  }
  void operator()(std::int64_t number) const {
    JsonObject{out}.text("intValue", std::to_string(number));
  }
  void operator()(bool flag) const { JsonObject{out}.flag("boolValue", flag); }
};

void append_attribute(std::string& out, const Span::Attribute& attribute) {
  JsonObject json{out};
  json.text("key", attribute.first);
  std::visit(AppendValue{json.key("value")}, attribute.second);
}

void append_moment(std::string& out, const Span::Moment& moment) {
  JsonObject json{out};
  add_time(json, "timeUnixNano", moment.at);
  json.text("name", moment.name);
  json.array("attributes", std::vector<Span::Attribute>{{"message", moment.message}},
             append_attribute);
}

void append_link(std::string& out, const Span::Link& link) {
  JsonObject json{out};
  add_hex(json, "traceId", link.trace);
  add_hex(json, "spanId", link.span);
}

void append_span(std::string& out, const Span& span) {
  JsonObject json{out};
  add_hex(json, "traceId", span.trace);
  add_hex(json, "spanId", span.id);
  if (span.parent != 0) add_hex(json, "parentSpanId", span.parent);
  json.text("name", span.name);
  json.number("kind", kind_internal);
  add_time(json, "startTimeUnixNano", span.begin);
  add_time(json, "endTimeUnixNano", span.end);
  json.array("attributes", span.attributes, append_attribute);
  if (!span.moments.empty()) json.array("events", span.moments, append_moment);
  if (span.moments_left_out != 0) json.number("droppedEventsCount", span.moments_left_out);
  if (span.link) json.array("links", std::vector<Span::Link>{*span.link}, append_link);
  JsonObject status{json.key("status")};
  if (!span.error) return;
  status.number("code", status_error);
  status.text("message", std::string_view{*span.error}.substr(0, longest_text));
}

std::vector<Span::Attribute> resource_of(const TraceSource& source) {
  return {{"service.name", source.service},
          {"service.instance.id", source.instance},
          {"service.version", source.version},
          {"process.pid", source.pid}};
}

void append_scope(std::string& out, const TraceSource& source, const std::vector<Span>& spans) {
  JsonObject json{out};
  {
    JsonObject scope{json.key("scope")};
    scope.text("name", "espalier");
    scope.text("version", source.version);
  }
  json.array("spans", spans, append_span);
}

}  // namespace

void append_otlp(std::string& out, const TraceSource& source, const std::vector<Span>& spans) {
  JsonObject request{out};
  auto& all = request.key("resourceSpans");
  all += '[';
  {
    JsonObject of_resource{all};
    {
      JsonObject resource{of_resource.key("resource")};
      resource.array("attributes", resource_of(source), append_attribute);
    }
    auto& scopes = of_resource.key("scopeSpans");
    scopes += '[';
    append_scope(scopes, source, spans);
    scopes += ']';
  }
  all += ']';
}

}  // namespace espalier::supervisor
