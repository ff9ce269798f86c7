#pragma once

#include "espalier/supervisor/config/internal/value.hpp"
#include "espalier/supervisor/config/tree_config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

struct FieldInfo {
  std::string key = {};
  std::string help = {};
  std::string example = {};  ///< YAML, for fields without a default only.
};

/// Walks over described fields: one visitor loads them, others write them as YAML, as a template or
/// as a schema. The functions below are the only description of any field.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void value(const FieldInfo& info, const Value& value) = 0;
  using Body = std::function<void(FieldVisitor&)>;
  /// A map of fields. A lone scalar in its place stands for the field `shorthand`, unless empty.
  virtual void group(const FieldInfo& info, const std::string& shorthand, const Body& body) = 0;
};

void describe_supervisor(FieldVisitor& visitor, SupervisorSpec& spec);
void describe_nested_supervisor(FieldVisitor& visitor, SupervisorSpec& spec);
void describe_policy(FieldVisitor& visitor, ChildPolicy& policy);
/// `grace`: where the default of children's graceful_timeout goes; null: leave that field out.
void describe_shutdown(FieldVisitor& visitor, ShutdownSpec& spec, StopPolicy* grace);
void describe_observability(FieldVisitor& visitor, ObservabilitySpec& spec);
void describe_child(FieldVisitor& visitor, ChildSpec& child);
void describe_factory(FieldVisitor& visitor, ChildSpec& child);
void describe_process(FieldVisitor& visitor, ProcessSpec& process);

/// Help for the sections themselves.
[[nodiscard]] FieldInfo section_info(const std::string& name);

/// The dotted names of all fields and of the groups that have a shorthand; durations twice.
class FieldNames : public FieldVisitor {
 public:
  explicit FieldNames(std::string prefix = {}) : prefix_(std::move(prefix)) {}
  void value(const FieldInfo& info, const Value& value) override;
  void group(const FieldInfo& info, const std::string& shorthand, const Body& body) override;
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::string prefix_;
  std::vector<std::string> names_ = {};
};

/// A setting known under a second name: the flat keys other supervisors use.
struct Spelling {
  std::string other = {};  ///< Dotted, relative to the map.
  std::string key = {};    ///< Where it belongs.
};
[[nodiscard]] const std::vector<Spelling>& root_spellings();
/// Of a `policy` section and of a child.
[[nodiscard]] const std::vector<Spelling>& policy_spellings();

/// What to say of a key that other releases or other programmes know, or "".
[[nodiscard]] std::string advice_for(const std::string& key);

}  // namespace espalier::supervisor::internal
