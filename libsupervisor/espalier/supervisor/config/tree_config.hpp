#pragma once

#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/config/observability_spec.hpp"
#include "espalier/supervisor/core/backpressure_spec.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// A fault in a configuration: where, which key, what is wrong and what to do.
struct ConfigProblem {
  SourcePosition position = {};
  std::string key = {};  ///< "children[2].backoff.max"
  std::string message = {};
  /// "tree.yaml:7:12: children[2].restart: ..."
  [[nodiscard]] std::string to_string() const;
};

/// A field after all sources were read, with where its value comes from.
struct EffectiveField {
  std::string key = {};     ///< "policy.backoff.max"
  std::string value = {};   ///< As YAML.
  std::string source = {};  ///< "tree.yaml:7:12", "ESPALIER__POLICY__RESTART", "default".
};

struct TreeConfig {
  SupervisorSpec tree = {};
  ObservabilitySpec observability = {};
  BackpressureSpec backpressure = {};
  DashboardSpec dashboard = {};
  std::vector<EffectiveField> fields = {};
  std::vector<ConfigProblem> warnings = {};  ///< Odd, but it runs.
};

/// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] Environment process_environment();
/// Names of all variables of this process, sorted.
[[nodiscard]] std::vector<std::string> process_variable_names();

struct LoadOptions {
  Environment environment = process_environment();
  /// Names a `factory` may have; an unknown one is an error that lists them.
  std::vector<std::string> known_factories = {};
  /// What those are; a child of another kind is an error. Absent ones are not checked.
  std::map<std::string, ChildKind> factory_kinds = {};
  /// Names a probe's `function` may have.
  std::vector<std::string> known_probes = {};
  /// Also read ESPALIER__SECTION__FIELD for the sections supervisor, policy, shutdown,
  /// observability, backpressure, dashboard.
  bool overrides_from_environment = false;
  /// Names looked through for an ESPALIER__ variable that no setting has; such a one is an error.
  std::vector<std::string> variable_names = process_variable_names();
};

/// All problems at once, in file order; nothing is half loaded.
[[nodiscard]] expected<TreeConfig, std::vector<ConfigProblem>> load_tree_text(
    const std::string& text, const std::string& file_name, const LoadOptions& options);
[[nodiscard]] expected<TreeConfig, std::vector<ConfigProblem>> load_tree_file(
    const std::string& path, const LoadOptions& options);

/// The effective configuration as YAML that loads again, each line with its source.
[[nodiscard]] std::string render_effective(const TreeConfig& config);
/// A commented file with every field, its default, unit, range and meaning.
[[nodiscard]] std::string render_template();
/// JSON Schema (draft 2020-12) of a tree file.
[[nodiscard]] std::string render_json_schema();

}  // namespace espalier::supervisor
