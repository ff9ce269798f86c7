#include "espalier/supervisor/config/internal/documents.hpp"
#include "espalier/supervisor/config/internal/sections.hpp"

namespace espalier::supervisor {

namespace {

using internal::FieldInfo;
using internal::FieldVisitor;
using internal::quote;
using internal::Value;

// An object under construction, one member a line.
class JsonObject {
 public:
  JsonObject& add(const std::string& key, const std::string& json) {
    members_ += (members_.empty() ? "" : ",\n") + quote(key) + ": " + json;
    return *this;
  }

  [[nodiscard]] std::string text() const {
    std::string out = "{\n  ";
    for (const char c : members_) {
      out += c;
      if (c == '\n') out += "  ";
    }
    return out + "\n}";
  }

 private:
  std::string members_ = {};
};

constexpr const char* variable = R"({"$ref": "#/$defs/variable"})";
constexpr const char* secret = R"({"$ref": "#/$defs/secret"})";

// {secret: {env: NAME}} or {secret: {file: PATH}}.
constexpr const char* secret_schema =
    R"({"type": "object", "description": "A value shown nowhere, from a variable or a file.", )"
    R"("additionalProperties": false, "required": ["secret"], "properties": {"secret": )"
    R"({"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, )"
    R"("properties": {"env": {"type": "string"}, "file": {"type": "string"}}}}})";

std::string map_of(const JsonObject& properties, const std::string& help) {
  return JsonObject()
      .add("type", R"(["object", "null"])")
      .add("description", quote(help))
      .add("additionalProperties", "false")
      .add("properties", properties.text())
      .text();
}

std::string value_schema(const Value& value) {
  const auto item = R"({"anyOf": [)" + value.schema + ", " + variable + "]}";
  if (value.shape == Value::Shape::list) return R"({"type": "array", "items": )" + item + "}";
  if (value.shape == Value::Shape::map) {
    const auto entry = value.parse_secret ? R"({"anyOf": [)" + value.schema + ", " + variable +
                                                ", " + secret + "]}"
                                          : item;
    return R"({"type": "object", "additionalProperties": )" + entry + "}";
  }
  return item;
}

// "{...}" with a description as its first member.
std::string described(const std::string& help, const std::string& schema) {
  return "{\"description\": " + quote(help) + ", " + schema.substr(1);
}

// The other spellings that stand in the map `section` of a tree file.
void add_spellings(JsonObject& properties, const std::vector<internal::Spelling>& table,
                   const std::string& section) {
  for (const auto& spelling : table) {
    if (spelling.other.rfind(section, 0) != 0) continue;
    if (spelling.other.find('.', section.size()) != std::string::npos) continue;
    properties.add(spelling.other.substr(section.size()),
                   "{\"description\": " + quote("Same as " + spelling.key + ".") + "}");
  }
}

class SchemaWriter : public FieldVisitor {
 public:
  /// `path`: of the map, "dashboard.", where other spellings may stand in it.
  explicit SchemaWriter(JsonObject& properties, std::string path = {})
      : properties_(properties), path_(std::move(path)) {}

  void value(const FieldInfo& info, const Value& value) override {
    const auto rendered = value.render();
    auto help = info.help + " Takes " + value.expected + ".";
    if (!rendered.empty() && info.example.empty()) help += " Default: " + rendered + ".";
    properties_.add(info.key, described(help, value_schema(value)));
    if (shorthand_ == info.key) short_schema_ = value_schema(value);
    if (!value.is_duration) return;
    properties_.add(info.key + "_ms",
                    described(info.key + " in milliseconds.",
                              std::string(R"({"anyOf": [{"type": "integer", "minimum": 0}, )") +
                                  variable + "]}"));
  }

  void group(const FieldInfo& info, const std::string& shorthand, const Body& body) override {
    JsonObject properties;
    const auto path = path_.empty() ? path_ : path_ + info.key + ".";
    SchemaWriter inner(properties, path);
    inner.shorthand_ = shorthand;
    body(inner);
    if (!path.empty()) add_spellings(properties, internal::root_spellings(), path);
    const auto map = map_of(properties, info.help);
    properties_.add(info.key, shorthand.empty()
                                  ? map
                                  : "{\"anyOf\": [" + inner.short_schema_ + ", " + map + "]}");
  }

  void optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                const Body& body) override {
    JsonObject properties;
    SchemaWriter inner(properties);
    inner.shorthand_ = shorthand;
    presence.give();
    body(inner);
    presence.drop();
    const auto lone = shorthand.empty() ? "" : inner.short_schema_ + ", ";
    properties_.add(info.key, "{\"anyOf\": [{\"const\": \"none\"}, " + lone +
                                  map_of(properties, info.help) + "]}");
  }

  void rows(const FieldInfo& info, const Rows& rows) override {
    JsonObject properties;
    SchemaWriter inner(properties);
    rows.add();
    rows.describe(0, inner);
    rows.clear();
    properties_.add(info.key, "{\"type\": [\"array\", \"null\"], \"items\": " +
                                  map_of(properties, info.help) + "}");
  }

 private:
  JsonObject& properties_;
  std::string path_;
  std::string shorthand_ = {};
  std::string short_schema_ = {};
};

std::string section_schema(const std::string& name, const FieldVisitor::Body& body) {
  JsonObject properties;
  SchemaWriter writer(properties, name + ".");
  body(writer);
  add_spellings(properties, internal::root_spellings(), name + ".");
  if (name == "policy") add_spellings(properties, internal::policy_spellings(), "");
  return map_of(properties, internal::section_info(name).help);
}

std::string reference(const std::string& name) {
  return "{\"$ref\": \"#/$defs/" + name + "\"}";
}

const char* const child_list = R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/child"}})";

std::string pool_schema() {
  PoolSpec pool;
  JsonObject properties;
  SchemaWriter writer(properties);
  internal::describe_pool(writer, pool);
  properties.add("template", reference("template"));
  return map_of(properties, "Identical children, started and stopped at run time.");
}

// A pool's template is a child without what concerns its siblings.
std::string child_schema(bool is_template) {
  ChildSpec child;
  ProcessSpec process;
  SupervisorSpec nested;
  internal::Overrides overrides;
  JsonObject properties;
  SchemaWriter writer(properties);
  if (is_template) {
    internal::describe_made(writer, child);
  } else {
    internal::describe_child(writer, child);
  }
  internal::describe_policy(writer, child.policy);
  internal::describe_factory(writer, child);
  internal::describe_process(writer, process);
  internal::describe_nested_supervisor(writer, nested, &overrides);
  auto spellings = internal::policy_spellings();
  // Of a supervisor these are fields by themselves, described above.
  std::erase_if(spellings, [](const auto& x) { return internal::is_supervisors_own(x.other); });
  add_spellings(properties, spellings, "");
  add_spellings(properties, internal::child_spellings(), "");
  if (!is_template) properties.add("pool", pool_schema());
  properties.add("policy", reference("policy"))
      .add("shutdown", reference("shutdown"))
      .add("children", child_list);
  JsonObject schema;
  schema.add("type", R"("object")");
  if (!is_template) schema.add("required", R"(["name"])");
  return schema.add("additionalProperties", "false").add("properties", properties.text()).text();
}

constexpr const char* variable_schema = R"({"type": "string", "pattern": "\\$\\{"})";

std::string document(const std::string& title, const JsonObject& properties,
                     const JsonObject& definitions) {
  return JsonObject()
             .add("$schema", R"("https://json-schema.org/draft/2020-12/schema")")
             .add("title", quote(title))
             .add("type", R"("object")")
             .add("additionalProperties", "false")
             .add("properties", properties.text())
             .add("$defs", definitions.text())
             .text() +
         "\n";
}

}  // namespace

std::string render_json_schema() {
  JsonObject definitions;
  JsonObject properties;
  definitions.add("variable", variable_schema);
  definitions.add("secret", secret_schema);
  internal::Sections sections;
  sections.walk([&](const std::string& name, const FieldVisitor::Body& body) {
    definitions.add(name, section_schema(name, body));
    properties.add(name, reference(name));
  });
  definitions.add("child", child_schema(false)).add("template", child_schema(true));
  properties.add("children", child_list);
  return document("Espalier tree file", properties, definitions);
}

std::string internal::render_schema_of(const std::string& title, const FieldInfo& top,
                                       const FieldVisitor::Body& body) {
  JsonObject definitions;
  definitions.add("variable", variable_schema).add("secret", secret_schema);
  JsonObject fields;
  SchemaWriter writer(fields);
  body(writer);
  JsonObject properties;
  properties.add(top.key, map_of(fields, top.help));
  return document(title, properties, definitions);
}

}  // namespace espalier::supervisor
