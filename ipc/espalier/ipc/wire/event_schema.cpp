#include "espalier/ipc/wire/internal/by_word.hpp"
#include "espalier/ipc/wire/json.hpp"
#include "espalier/ipc/wire/schema.hpp"
#include "espalier/ipc/wire/schema_writer.hpp"
#include "espalier/ipc/wire/words.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The events of observe/event_json.cpp, written down a second time: there is no describe() of them,
// for they are not only for the wire. tests/ipc/wire/samples.cpp holds the two against each other.

namespace espalier::ipc {
namespace {

using internal::ref_to;

/// A field of an event; required unless `maybe`.
struct Field {
  std::string_view name = {};
  Json schema = {};
  bool required = true;
};
using Fields = std::vector<Field>;

Field maybe(Field field) {
  field.required = false;
  return field;
}

Json text_schema() {
  return {{"type", "string"}};
}
Json count_schema() {
  return {{"type", "integer"}, {"minimum", 0}};
}
Field text(std::string_view name) {
  return {name, text_schema()};
}
Field count(std::string_view name) {
  return {name, count_schema()};
}
Field integer(std::string_view name) {
  return {name, {{"type", "integer"}}};
}
Field ms(std::string_view name) {
  return {name, {{"type", "number"}}};
}
Field flag(std::string_view name) {
  return {name, {{"type", "boolean"}}};
}
Field words(std::string_view name, Json all) {
  return {name, {{"enum", std::move(all)}}};
}
Field list(std::string_view name, Json items) {
  return {name, {{"type", "array"}, {"items", std::move(items)}}};
}
Field one(std::string_view name, std::string_view def) {
  return {name, ref_to(def)};
}

template <class E, std::size_t Count>
Json words_of() {
  Json all = Json::array();
  for (std::size_t i = 0; i < Count; ++i)
    all.push_back(WordsByToString<E, Count>::word(i));
  return all;
}

Json object_of(Fields fields) {
  Json schema = {{"type", "object"}, {"properties", Json::object()}};
  Json required = Json::array();
  for (auto& field : fields) {
    if (field.required) required.push_back(field.name);
    schema["properties"][std::string(field.name)] = std::move(field.schema);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

Fields common_fields() {
  return {{"type", Json::object()},
          count("sequence"),
          count("epoch"),
          {"at", internal::value_schema<Timestamp>({})},
          integer("monotonic_ns"),
          text("path"),
          maybe(count("generation")),
          maybe(count("attempt")),
          maybe(text("correlation_id")),
          maybe(count("caused_by")),
          words("severity", words_of<sv::Severity, 4>())};
}

// Objects that stand in events.
Json parts() {
  Json defs = Json::object();
  defs["exit"] =
      object_of({words("kind", words_of<sv::ExitKind, 8>()),
                 words("category", words_of<sv::FailureCategory, 9>()), maybe(integer("code")),
                 maybe(integer("signal")), maybe(flag("core_dumped")), maybe(text("message")),
                 maybe(list("trace", text_schema()))});
  defs["check"] = object_of({words("rule", words_of<sv::Rule, 13>()), flag("decided"),
                             count("count"), count("limit"), ms("window_ms"), maybe(ms("tokens"))});
  defs["child_shutdown"] =
      object_of({text("path"), words("outcome", words_of<sv::ChildShutdownOutcome, 5>()),
                 count("generation"), ms("took_ms"), maybe(one("exit", "exit"))});
  Fields counts;
  for (std::size_t i = 0; i < 5; ++i)
    counts.push_back(count(WordsByToString<sv::ChildShutdownOutcome, 5>::word(i)));
  defs["shutdown_counts"] = object_of(std::move(counts));
  defs["reconcile_check"] = object_of(
      {text("what"), count("checked"), list("found", text_schema()), maybe(text("note"))});
  defs["reconcile"] = object_of({flag("clean"), list("checks", ref_to("reconcile_check"))});
  defs["shutdown_report"] =
      object_of({text("cause"), ms("took_ms"), list("children", ref_to("child_shutdown")),
                 one("counts", "shutdown_counts"), one("reconcile", "reconcile")});
  return defs;
}

struct EventType {
  std::string_view name = {};
  Fields fields = {};
};

std::vector<EventType> events_of_a_tree() {
  return {
      {"tree_starting", {}},
      {"tree_started", {ms("duration_ms")}},
      {"tree_start_failed", {text("error")}},
      {"tree_stopped", {text("result")}},
      {"restart_decided",
       {maybe(words("verdict", words_of<sv::Verdict, 8>())), maybe(ms("delay_ms")),
        maybe(words("rule", words_of<sv::Rule, 13>())), maybe(text("explanation")),
        list("scope", text_schema()), count("scope_size"), maybe(list("checks", ref_to("check")))}},
      {"restart_cancelled", {text("cause")}},
      {"scope_restart_started", {count("size")}},
      {"scope_restart_completed", {ms("duration_ms")}},
      {"fuse_tripped", {text("scope"), count("count"), count("limit"), ms("window_ms")}},
      {"fuse_reset", {text("cause")}},
      {"escalated", {text("to"), text("reason")}},
      {"shutdown_requested", {text("cause")}},
      {"shutdown_stage", {words("stage", words_of<sv::ShutdownStage, 4>())}},
      {"shutdown_completed", {maybe(one("report", "shutdown_report"))}},
      {"command_done",
       {text("command"), maybe(text("child")), text("requested_by"), text("reason"), text("result"),
        text("text")}},
      {"group_held", {text("group"), text("reason")}},
      {"group_reset", {text("group"), text("cause")}},
      {"auto_shutdown", {text("by")}},
      {"plan_applied", {count("added"), count("removed"), count("restarted"), count("changed")}},
      {"pool_scaled", {count("from"), count("to")}},
      {"run_summary",
       {maybe(text("occasion")), maybe(text("cause")), maybe(ms("uptime_ms")),
        maybe(count("restarts")), maybe(count("failures")), maybe(count("commands")),
        maybe(list("recent_failures", text_schema())), maybe(text("final_decision")),
        maybe(text("state"))}},
      {"subscriber_lagged",
       {maybe(text("reader")), maybe(text("reason")), count("dropped"), count("from"),
        count("to")}},
      {"backpressure_alert", {text("reader"), text("level"), count("fill_pct")}},
      {"journal_error", {text("error")}},
      {"audit_failed", {text("error")}},
  };
}

std::vector<EventType> events_of_a_child() {
  return {
      {"child_starting", {}},
      {"child_running", {maybe(integer("pid"))}},
      {"child_ready", {ms("start_ms")}},
      {"child_start_failed", {text("error")}},
      {"child_stopping", {words("cause", words_of<sv::StopCause, 4>())}},
      {"child_exited", {one("exit", "exit"), ms("uptime_ms")}},
      {"child_stopped", {}},
      {"child_failed", {text("reason")}},
      {"child_quarantined", {text("reason")}},
      {"child_paused", {}},
      {"child_resumed", {}},
      {"child_unhealthy", {text("probe"), maybe(text("message"))}},
      {"child_status", {text("text")}},
      {"stale_report", {count("reported_generation")}},
      {"child_aborted", {}},
      {"child_abort_failed", {}},
      {"child_restarted", {count("restarts_in_window"), count("limit"), count("restarts_total")}},
      {"probe_failed", {text("probe"), text("message"), count("in_a_row"), count("retries")}},
      {"child_blocked", {text("waits_for")}},
      {"child_suspended", {}},
      {"child_added", {text("requested_by")}},
      {"child_removed", {text("requested_by")}},
      {"child_asked", {text("what"), text("reason"), flag("granted")}},
  };
}

// Fields of all are described once; here they are only allowed.
Json type_schema(Fields own) {
  Fields fields;
  for (auto& field : common_fields())
    fields.push_back({field.name, Json(true), false});
  for (auto& field : own)
    fields.push_back(std::move(field));
  return object_of(std::move(fields));
}

}  // namespace

std::string render_event_schema() {
  auto schema = object_of(common_fields());
  schema.erase("additionalProperties");  // That is for each type to say.
  Json names = Json::array();
  auto defs = parts();
  for (auto all : {events_of_a_tree(), events_of_a_child()}) {
    for (auto& type : all) {
      names.push_back(type.name);
      internal::add_rule(schema, "type", type.name, ref_to(type.name));
      defs[std::string(type.name)] = type_schema(std::move(type.fields));
    }
  }
  schema["properties"]["type"]["enum"] = std::move(names);
  schema["$defs"] = std::move(defs);
  Json document = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "An event of a tree"},
                   {"description", "See docs/events.md."}};
  document.update(schema);
  return document.dump(2) + "\n";
}

}  // namespace espalier::ipc
