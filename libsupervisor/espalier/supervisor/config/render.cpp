#include "espalier/supervisor/config/internal/fields.hpp"

#include <map>

namespace espalier::supervisor {

namespace {

using internal::FieldInfo;
using internal::FieldVisitor;
using internal::Value;

// Writes "key: value  # source" lines. A group is written once something stands in it.
class EffectiveWriter : public FieldVisitor {
 public:
  EffectiveWriter(std::string& out, const std::map<std::string, std::string>& sources,
                  std::string path, std::string first, std::string indent)
      : out_(out),
        sources_(sources),
        path_(std::move(path)),
        next_(std::move(first)),
        indent_(std::move(indent)) {}

  void value(const FieldInfo& info, const Value& value) override {
    const auto rendered = value.render();
    if (rendered.empty()) return;
    const auto source = sources_.find(path_ + info.key);
    out_ += next_ + info.key + ": " + rendered;
    const bool hides = value.hides && value.hides();
    if (source != sources_.end()) out_ += "  # " + source->second;
    if (hides) out_ += source == sources_.end() ? "  # secrets: ***" : "; secrets: ***";
    out_ += "\n";
    next_ = indent_;
  }

  void group(const FieldInfo& info, const std::string&, const Body& body) override {
    std::string inside;
    EffectiveWriter inner(inside, sources_, path_ + info.key + ".", indent_ + "  ", indent_ + "  ");
    body(inner);
    if (inside.empty()) return;
    out_ += next_ + info.key + ":\n" + inside;
    next_ = indent_;
  }

  void optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                const Body& body) override {
    if (presence.present) group(info, shorthand, body);
  }

  void rows(const FieldInfo& info, const Rows& rows) override {
    if (rows.size() == 0) return;
    out_ += next_ + info.key + ":\n";
    next_ = indent_;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto path = path_ + info.key + "[" + std::to_string(i) + "].";
      EffectiveWriter inner(out_, sources_, path, indent_ + "  - ", indent_ + "    ");
      rows.describe(i, inner);
    }
  }

 private:
  std::string& out_;
  const std::map<std::string, std::string>& sources_;
  std::string path_;
  std::string next_;
  std::string indent_;
};

class TreeWriter {
 public:
  TreeWriter() = default;

  explicit TreeWriter(const TreeConfig& config) {
    out_ = "# Effective configuration. Every child is written with its whole policy.\n";
    for (const auto& field : config.fields) {
      auto source = field.source;
      for (auto& c : source) {
        if (static_cast<unsigned char>(c) < 0x20) c = '?';
      }
      sources_[field.key] = source;
    }
  }

  void section(const std::string& name, const FieldVisitor::Body& body) {
    EffectiveWriter writer(out_, sources_, "", "", "");
    writer.group({name}, "", body);
  }

  void children(const SupervisorSpec& spec, const std::string& path, const std::string& indent) {
    if (spec.children.empty()) {
      out_ += indent + "children: []\n";
      return;
    }
    out_ += indent + "children:\n";
    for (std::size_t i = 0; i < spec.children.size(); ++i) {
      child(spec.children[i], path + "[" + std::to_string(i) + "]", indent + "  - ");
    }
  }

  // `first`: what its first line begins with. Describing binds fields for reading and writing
  // alike, so it is given a copy.
  void child(ChildSpec spec, const std::string& path, const std::string& first) {
    const std::string inner(first.size(), ' ');
    EffectiveWriter writer(out_, sources_, path + ".", first, inner);
    internal::describe_child(writer, spec);
    made(writer, spec, path, inner);
  }

  std::string take() { return std::move(out_); }

 private:
  void made(EffectiveWriter& writer, ChildSpec& spec, const std::string& path,
            const std::string& inner) {
    internal::describe_policy(writer, spec.policy);
    if (spec.kind == ChildKind::process && spec.process) {
      auto process = *spec.process;
      internal::describe_process(writer, process);
    } else if (spec.kind == ChildKind::supervisor && spec.supervisor) {
      auto supervisor = *spec.supervisor;
      internal::describe_nested_supervisor(writer, supervisor, nullptr);
      writer.group({"shutdown"}, "", [&](FieldVisitor& v) {
        internal::describe_shutdown(v, supervisor.shutdown, nullptr);
      });
      children(supervisor, path + ".children", inner);
    } else if (spec.kind == ChildKind::pool && spec.pool) {
      pool(*spec.pool, path, inner);
    } else {
      internal::describe_factory(writer, spec);
      if (spec.isolation == Isolation::none || !spec.process) return;
      auto process = *spec.process;
      internal::describe_surroundings(writer, process);
    }
  }

  void pool(PoolSpec spec, const std::string& path, const std::string& indent) {
    out_ += indent + "pool:\n";
    const auto inner = indent + "  ";
    EffectiveWriter writer(out_, sources_, path + ".pool.", inner, inner);
    internal::describe_pool(writer, spec);
    out_ += inner + "template:\n";
    const auto place = path + ".pool.template";
    EffectiveWriter member(out_, sources_, place + ".", inner + "  ", inner + "  ");
    internal::describe_made(member, spec.child);
    made(member, spec.child, place, inner + "  ");
  }

  std::string out_ = {};
  std::map<std::string, std::string> sources_ = {};
};

}  // namespace

std::string internal::render_child(const ChildSpec& child, const std::string& indent) {
  TreeWriter writer;
  writer.child(child, {}, indent);
  return writer.take();
}

std::string render_effective(const TreeConfig& config) {
  auto copy = config;
  TreeWriter writer(config);
  writer.section("supervisor",
                 [&](FieldVisitor& v) { internal::describe_supervisor(v, copy.tree, nullptr); });
  writer.section("shutdown", [&](FieldVisitor& v) {
    internal::describe_shutdown(v, copy.tree.shutdown, nullptr);
  });
  writer.section("observability",
                 [&](FieldVisitor& v) { internal::describe_observability(v, copy.observability); });
  writer.section("backpressure",
                 [&](FieldVisitor& v) { internal::describe_backpressure(v, copy.backpressure); });
  if (copy.dashboard != DashboardSpec{}) {
    writer.section("dashboard",
                   [&](FieldVisitor& v) { internal::describe_dashboard(v, copy.dashboard); });
  }
  writer.children(copy.tree, "children", "");
  return writer.take();
}

}  // namespace espalier::supervisor
