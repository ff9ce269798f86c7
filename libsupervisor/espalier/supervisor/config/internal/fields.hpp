#pragma once

#include "espalier/supervisor/config/internal/value.hpp"
#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/spec_check.hpp"

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
  /// A group that may be absent as a whole; `none` in its place takes an inherited one away.
  struct Presence {
    bool present = false;
    std::function<void()> give = {};  ///< Before its fields are read.
    std::function<void()> drop = {};
  };
  virtual void optional(const FieldInfo& info, const std::string& shorthand,
                        const Presence& presence, const Body& body) = 0;
  /// A list of maps.
  struct Rows {
    std::function<std::size_t()> size = {};
    std::function<void()> clear = {};
    std::function<void()> add = {};  ///< An empty one at the end.
    std::function<void(std::size_t index, FieldVisitor& visitor)> describe = {};
  };
  virtual void rows(const FieldInfo& info, const Rows& rows) = 0;
};

template <class T>
[[nodiscard]] FieldVisitor::Rows rows_of(std::vector<T>& target,
                                         void (*describe)(FieldVisitor&, T&)) {
  return {[&target] { return target.size(); }, [&target] { target.clear(); },
          [&target] { target.emplace_back(); },
          [&target, describe](std::size_t i, FieldVisitor& v) { describe(v, target[i]); }};
}

/// Says in one place, at the supervisor, what `restart_strategy` says at a child.
struct StrategyOverride {
  std::string child = {};
  Strategy strategy = Strategy::one_for_one;
};

/// `overrides`: where the field of that name goes; null: leave it out.
using Overrides = std::vector<StrategyOverride>;
void describe_supervisor(FieldVisitor& visitor, SupervisorSpec& spec, Overrides* overrides);
void describe_nested_supervisor(FieldVisitor& visitor, SupervisorSpec& spec, Overrides* overrides);
void describe_policy(FieldVisitor& visitor, ChildPolicy& policy);
/// `grace`: where the default of children's graceful_timeout goes; null: leave that field out.
void describe_shutdown(FieldVisitor& visitor, ShutdownSpec& spec, StopPolicy* grace);
void describe_observability(FieldVisitor& visitor, ObservabilitySpec& spec);
/// What cannot be as it says there.
[[nodiscard]] std::vector<SpecProblem> observability_problems(const ObservabilitySpec& spec);
/// What it allows, and whoever wrote it may not have meant.
[[nodiscard]] std::vector<SpecProblem> observability_warnings(const ObservabilitySpec& spec);
void describe_backpressure(FieldVisitor& visitor, BackpressureSpec& spec);
/// What contradicts itself in it.
[[nodiscard]] std::vector<SpecProblem> backpressure_problems(const BackpressureSpec& spec);
void describe_dashboard(FieldVisitor& visitor, DashboardSpec& spec);
/// What contradicts itself in it; `root`: name of the tree.
[[nodiscard]] std::vector<SpecProblem> dashboard_problems(const DashboardSpec& spec,
                                                          const std::string& root);
/// What there is to say of a child as a sibling, and of any child, a pool's template too.
void describe_child(FieldVisitor& visitor, ChildSpec& child);
void describe_made(FieldVisitor& visitor, ChildSpec& child);
void describe_factory(FieldVisitor& visitor, ChildSpec& child);
void describe_process(FieldVisitor& visitor, ProcessSpec& process);
/// The part of it that an isolated function has as well.
void describe_surroundings(FieldVisitor& visitor, ProcessSpec& process);
/// Without the template.
void describe_pool(FieldVisitor& visitor, PoolSpec& pool);

/// One child as the map that the loader reads, each line begun with `indent`.
[[nodiscard]] std::string render_child(const ChildSpec& child, const std::string& indent);

/// Help for the sections themselves.
[[nodiscard]] FieldInfo section_info(const std::string& name);

/// The dotted names of all fields and of the groups that have a shorthand; durations twice.
class FieldNames : public FieldVisitor {
 public:
  explicit FieldNames(std::string prefix = {}) : prefix_(std::move(prefix)) {}
  void value(const FieldInfo& info, const Value& value) override;
  void group(const FieldInfo& info, const std::string& shorthand, const Body& body) override;
  void optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                const Body& body) override;
  void rows(const FieldInfo& info, const Rows& rows) override;
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
/// True for a spelling that on a nested supervisor is a field of its own.
[[nodiscard]] inline bool is_supervisors_own(const std::string& other) {
  return other == "restart_limit" || other == "restart_budget";
}
/// Of a child; those of a policy come in addition.
[[nodiscard]] const std::vector<Spelling>& child_spellings();

/// What to say of a key that other releases or other programmes know, or "".
[[nodiscard]] std::string advice_for(const std::string& key);

}  // namespace espalier::supervisor::internal
