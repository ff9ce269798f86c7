#include "espalier/ipc/wire/schema.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/envelope.hpp"
#include "espalier/ipc/wire/internal/all_messages.hpp"
#include "espalier/ipc/wire/internal/by_word.hpp"
#include "espalier/ipc/wire/methods.hpp"

#include <array>
#include <span>
#include <utility>

namespace espalier::ipc {
namespace internal {

void add_rule(Json& schema, std::string_view field, std::string_view word, Json rule) {
  const Json when = {{"properties", {{std::string(field), {{"const", word}}}}},
                     {"required", {field}}};
  schema["allOf"].push_back({{"if", when}, {"then", std::move(rule)}});
}

Json ref_to(std::string_view name) {
  return {{"$ref", "#/$defs/" + std::string(name)}};
}

}  // namespace internal
namespace {

using internal::add_rule;
using internal::ref_to;

internal::SchemaNames names_of_all() {
  internal::SchemaNames names;
  internal::for_each_message([&]<Message T>(const char* name) { names.emplace(typeid(T), name); });
  return names;
}

Json all_messages() {
  const auto names = names_of_all();
  Json defs = Json::object();
  internal::for_each_message(
      [&]<Message T>(const char* name) { defs[name] = internal::object_schema<T>(names); });
  return defs;
}

// What is passed through as text has a description elsewhere.
void describe_raw_fields(Json& defs) {
  const Json event = {{"$ref", "event.schema.json"}};
  const auto property = [&](const char* message, const char* field) -> Json& {
    return defs.at(message).at("properties").at(field);
  };
  property("event_push", "event").update(event);
  property("events_page", "events")["items"] = event;
  property("why_result", "chain")["items"] = event;
  property("audit_page", "records")["items"] = ref_to("audit_record");
  property("command_params", "child")["type"] = "object";
}

Json id_schema() {
  return {{"anyOf",
           {{{"type", "string"},
             {"minLength", 1},
             {"maxLength", max_id_bytes},
             {"pattern", "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"}},
            {{"type", "integer"}, {"minimum", 0}, {"maximum", internal::last_integer}}}},
          {"description", "Text of at most 128 bytes, or a number; echoed in the answer."}};
}

Json object_of(Json properties, Json required) {
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

Json request_schema(std::span<const MethodInfo> methods, const Json& defs) {
  Json words = Json::array();
  for (const auto& method : methods)
    words.push_back(method.name);
  auto schema = object_of({{"request_id", id_schema()},
                           {"method", {{"enum", std::move(words)}}},
                           {"params", {{"type", "object"}}}},
                          {"request_id", "method"});
  for (const auto& method : methods) {
    Json rule = {{"properties", {{"params", ref_to(method.params)}}}};
    if (defs.at(std::string(method.params)).contains("required")) rule["required"] = {"params"};
    add_rule(schema, "method", method.name, std::move(rule));
  }
  return schema;
}

Json answer_schema() {
  Json id = {{"anyOf", {id_schema(), {{"type", "null"}}}},
             {"description", "Of the request; null where it had none that could be read."}};
  Json result = {{"type", "object"}, {"description", "See x-methods."}};
  auto schema = object_of({{"request_id", std::move(id)},
                           {"ok", {{"type", "boolean"}}},
                           {"result", std::move(result)},
                           {"error", ref_to("error")}},
                          {"request_id", "ok"});
  schema["if"] = {{"properties", {{"ok", {{"const", true}}}}}};
  schema["then"] = {{"required", {"result"}}, {"properties", {{"error", false}}}};
  schema["else"] = {{"required", {"error"}}, {"properties", {{"result", false}}}};
  return schema;
}

// The word of a push is the default of its `type`.
Json push_schema(Json& defs) {
  Json words = Json::array();
  Json schema = {{"type", "object"}, {"required", {"type"}}};
  schema["properties"]["type"] = {{"description", "Every pushed line has one; no answer has."}};
  internal::for_each_message([&]<Message T>(const char* name) {
    if constexpr (requires(T x) { x.type; }) {
      const std::string word = T{}.type;
      defs.at(name).at("properties")["type"] = {{"const", word}};
      words.push_back(word);
      add_rule(schema, "type", word, ref_to(name));
    }
  });
  schema["properties"]["type"]["enum"] = std::move(words);
  return schema;
}

Json method_table() {
  Json table = Json::object();
  const auto add = [&](const MethodInfo& method) {
    Json row = {{"params", ref_to(method.params)}, {"result", ref_to(method.result)}};
    if (method.right) row["right"] = to_string(*method.right);
    if (method.is_dangerous()) row["needs"] = "confirmed: true";
    table[std::string(method.name)] = std::move(row);
  };
  for (const auto& method : methods())
    add(method);
  for (const auto& method : relay_methods())
    add(method);
  return table;
}

}  // namespace

std::string render_ipc_schema() {
  auto defs = all_messages();
  describe_raw_fields(defs);
  auto push = push_schema(defs);
  Json envelopes = Json::object();
  envelopes["request"] = request_schema(methods(), defs);
  envelopes["relay_request"] = request_schema(relay_methods(), defs);
  envelopes["answer"] = answer_schema();
  envelopes["push"] = std::move(push);
  const Json document = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", protocol_version},
      {"description", "Lines of JSON on the socket of a target; see docs/ipc.md."},
      {"anyOf", {ref_to("request"), ref_to("answer"), ref_to("push"), ref_to("relay_request")}},
      {"x-methods", method_table()}};
  Json whole = document;
  for (auto& [name, schema] : envelopes.items())
    whole["$defs"][name] = schema;
  for (auto& [name, schema] : defs.items())
    whole["$defs"][name] = schema;
  return whole.dump(2) + "\n";
}

}  // namespace espalier::ipc
