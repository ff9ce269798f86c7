#pragma once

#include "espalier/supervisor/config/internal/reader.hpp"
#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/spec_check.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// What children inherit from above, and where it was said.
struct Scope {
  ChildPolicy policy = {};
  ShutdownSpec shutdown = {};
  Sources policy_sources = {};
  Sources shutdown_sources = {};
};

/// Reads `children` lists, and the supervisors among them with all that is below.
class ChildLoader {
 public:
  ChildLoader(LoadContext& context, const LoadOptions& options)
      : context_(context), options_(options) {}

  /// `list` is changed: other spellings move to their places. `path`: "children".
  void load(Entry& list, const std::string& path, const Scope& scope, SupervisorSpec& into);
  /// Reads one child whose siblings are not known: what it says of them is not checked.
  ChildSpec load_alone(Node& node, const std::string& path) {
    return load_child(node, path, {}, Place::sibling);
  }

 private:
  enum class Place : std::uint8_t { sibling, pool_template };

  ChildSpec load_child(Node& node, const std::string& path, const Scope& scope, Place place);
  void move_keys(Node& node, const std::string& path, const ChildSpec& child);
  void take_role(const Node& node, ChildSpec& child, Sources& sources);
  void load_supervisor(Reader& reader, Node& node, const std::string& path, const Scope& scope,
                       ChildSpec& child);
  void load_process(Reader& reader, const Node& node, const std::string& path, ChildSpec& child);
  void load_factory(Reader& reader, const Node& node, const std::string& path, ChildSpec& child);
  void check_factory_kind(const Node& node, const std::string& path, const ChildSpec& child);
  void load_pool(Reader& reader, Node& node, const std::string& path, const Scope& scope,
                 ChildSpec& child);
  /// Reads one field ahead of the others; whoever reads it in turn files any problem.
  void peek(const Node& node, const std::string& key, ChildSpec& child);
  void guess_kind(const Node& node, const std::string& path, ChildSpec& child);
  void check_siblings(const Entry& list, const std::string& path, const SupervisorSpec& spec);
  void check_child(const Node& node, const std::string& path, const SupervisorSpec& spec,
                   const ChildSpec& child);
  void check_dependencies(const Node& node, const std::string& path, const ChildSpec& child,
                          const std::vector<std::string>& names, bool& sound);

  LoadContext& context_;
  const LoadOptions& options_;
};

/// Reads `shutdown` and `policy` of the map `node` into the scope: shared by root and children.
void load_scope(LoadContext& context, const Node& node, const std::string& path, Scope& scope);

/// Files what is wrong with the settings of a supervisor, read from `node`; null: nothing is
/// written there. Then the overrides are put where they belong.
void finish_level(LoadContext& context, const Node* node, const std::string& path, bool is_root,
                  const Overrides& overrides, SupervisorSpec& spec);

/// policy_problems, filed at the first field concerned that is written in `node`; those of which
/// none is have been filed where they were.
void check_policy(LoadContext& context, const Node& node, const std::string& path,
                  const ChildPolicy& policy);

/// Files `problem` as near to one of its fields as `node` has something written.
void file_problem(LoadContext& context, const Node& node, const std::string& path,
                  const SpecProblem& problem);

/// The value of a key, or null.
[[nodiscard]] const Node* value_of(const Node& node, const std::string& key);
/// "children" and 2 is "children[2]".
[[nodiscard]] std::string at(const std::string& path, std::size_t index);

}  // namespace espalier::supervisor::internal
