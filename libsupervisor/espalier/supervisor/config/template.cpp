#include "espalier/supervisor/config/internal/documents.hpp"
#include "espalier/supervisor/config/internal/sections.hpp"

namespace espalier::supervisor {

namespace {

using internal::FieldInfo;
using internal::FieldVisitor;
using internal::Value;

std::string commented_out(const std::string& text, const std::string& indent) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    out += indent + "# " + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

// Each field below a comment that tells its meaning, range and default.
class TemplateWriter : public FieldVisitor {
 public:
  TemplateWriter(std::string& out, std::string indent) : out_(out), indent_(std::move(indent)) {}

  void value(const FieldInfo& info, const Value& value) override {
    const auto rendered = value.render();
    const auto item = value.shape == Value::Shape::list  ? "A list, each item "
                      : value.shape == Value::Shape::map ? "A map, each value "
                                                         : "Takes ";
    comment(info.help);
    const bool has_default = !rendered.empty() && info.example.empty();
    comment(item + value.expected + "." + (has_default ? " Default: " + rendered + "." : ""));
    if (rendered.empty()) {
      out_ += indent_ + "# " + info.key + ": " + info.example + "\n";
    } else {
      out_ += indent_ + info.key + ": " + rendered + "\n";
    }
  }

  void group(const FieldInfo& info, const std::string& shorthand, const Body& body) override {
    comment(info.help);
    if (!shorthand.empty()) comment("A lone value in its place is " + shorthand + ".");
    out_ += indent_ + info.key + ":\n";
    TemplateWriter inner(out_, indent_ + "  ");
    body(inner);
  }

  void optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                const Body& body) override {
    comment("Left out unless needed:");
    std::string text;
    presence.give();
    TemplateWriter(text, "").group(info, shorthand, body);
    presence.drop();
    out_ += commented_out(text, indent_);
  }

  void rows(const FieldInfo& info, const Rows& rows) override {
    rows.add();
    comment("Left out unless needed; a list:");
    std::string text;
    TemplateWriter writer(text, "");
    writer.comment(info.help);
    text += info.key + ":\n  -\n";
    TemplateWriter inner(text, "    ");
    rows.describe(0, inner);
    out_ += commented_out(text, indent_);
    rows.clear();
  }

 private:
  // Broken between words, so that no line is longer than a screen is wide.
  void comment(const std::string& text) {
    constexpr std::size_t width = 96;
    const auto start = indent_ + "# ";
    auto line = start;
    std::size_t at = 0;
    while (at < text.size()) {
      const auto end = std::min(text.find(' ', at), text.size());
      if (line.size() > start.size() && line.size() + 1 + end - at > width) {
        out_ += line + "\n";
        line = start;
      }
      line += (line.size() > start.size() ? " " : "") + text.substr(at, end - at);
      at = end + 1;
    }
    out_ += line + "\n";
  }

  std::string& out_;
  std::string indent_;
};

std::string child_text(const std::string& name, ChildKind kind, const std::string& indent,
                       const FieldVisitor::Body& body) {
  std::string out;
  ChildSpec child;
  child.name = name;
  child.kind = kind;
  TemplateWriter writer(out, indent);
  internal::describe_child(writer, child);
  body(writer);
  // The list's dash stands where the indentation of the first line ended.
  const auto dash = indent.substr(2) + "-\n";
  return dash + out;
}

std::string children_text() {
  ProcessSpec process;
  process.command = {"sleep", "infinity"};
  ChildSpec code;
  code.factory = "builtin.ticker";
  SupervisorSpec nested;
  internal::Overrides overrides;
  PoolSpec pool;
  auto out = child_text("example", ChildKind::process, "    ",
                        [&](FieldVisitor& v) { internal::describe_process(v, process); });
  out += child_text("group", ChildKind::supervisor, "    ", [&](FieldVisitor& v) {
    internal::describe_nested_supervisor(v, nested, &overrides);
  });
  out +=
      "    # Defaults for the children below this one, and how they are stopped; fields as above.\n"
      "    # policy:\n    # shutdown:\n    children:\n"
      "      - {name: inner, command: [sleep, infinity]}\n";
  const auto factory = [&](FieldVisitor& v) { internal::describe_factory(v, code); };
  out += commented_out(child_text("code", ChildKind::blocking, "  ", factory), "  ");
  std::string fields;
  TemplateWriter writer(fields, "    ");
  internal::describe_pool(writer, pool);
  return out + commented_out("-\n  name: workers\n  # Identical children, by number.\n  pool:\n" +
                                 fields +
                                 "    # What a child may have, but for name, dependencies, group,\n"
                                 "    # restart_strategy, sidecar and significant.\n"
                                 "    template: {command: [sleep, infinity]}\n",
                             "  ");
}

}  // namespace

std::string render_template() {
  std::string out =
      "# Every setting of a tree file with its default. Generated; copy what you need.\n"
      "# ${VAR} and ${VAR:-default} in values come from the environment; $${ is a literal ${.\n"
      "# A duration can also be given in milliseconds: graceful_timeout_ms: 5000.\n";
  TemplateWriter writer(out, "");
  internal::Sections sections;
  sections.walk([&](const std::string& name, const FieldVisitor::Body& body) {
    out += "\n";
    writer.group(internal::section_info(name), "", body);
  });
  out += "\n# " + internal::section_info("children").help +
         "\n# Each child may also have any field of policy.\nchildren:\n";
  return out + children_text();
}

std::string internal::render_commented(const std::string& indent, const FieldVisitor::Body& body) {
  std::string out;
  TemplateWriter writer(out, indent);
  body(writer);
  return out;
}

}  // namespace espalier::supervisor
