#pragma once

#include "espalier/supervisor/config/tree_config.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor {

/// A child that was added at run time, as a file keeps it: where it belongs and all it is.
struct KeptChild {
  std::string parent = "/";  ///< Path of its supervisor.
  ChildSpec child = {};
  std::string text = {};                     ///< As it stands in the file.
  std::vector<ConfigProblem> problems = {};  ///< Not empty: `child` is not to be used.
};

/// The text of a file of such children, each an entry `- parent: ...` with its `child` below, in
/// any number. An entry with an unknown key, factory or secret has problems of its own; text that
/// is no YAML or no such list is an error as a whole. What a child says of its siblings is not
/// checked. Cost: linear.
[[nodiscard]] expected<std::vector<KeptChild>, std::vector<ConfigProblem>> load_kept_children(
    const std::string& text, const std::string& file_name, const LoadOptions& options);

/// One child alone, as a tree file describes it, in YAML or JSON; `name` stands before the line in
/// problems. What it says of its siblings is not checked.
[[nodiscard]] expected<ChildSpec, std::vector<ConfigProblem>> load_child_text(
    const std::string& text, const std::string& name, const LoadOptions& options);

/// One entry that load_kept_children reads back. Secrets are written as where they come from.
[[nodiscard]] std::string render_kept_child(const std::string& parent, const ChildSpec& child);

}  // namespace espalier::supervisor
