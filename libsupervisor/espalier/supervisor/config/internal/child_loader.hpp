#pragma once

#include "espalier/supervisor/config/internal/reader.hpp"
#include "espalier/supervisor/config/tree_config.hpp"

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
  ChildLoader(LoadContext& context, const std::vector<std::string>& factories)
      : context_(context), factories_(factories) {}

  /// `list` is changed: other spellings move to their places. `path`: "children".
  void load(Entry& list, const std::string& path, const Scope& scope, SupervisorSpec& into);

 private:
  ChildSpec load_child(Node& node, const std::string& path, const Scope& scope);
  void load_supervisor(Reader& reader, Node& node, const std::string& path, const Scope& scope,
                       ChildSpec& child);
  void load_process(Reader& reader, const Node& node, const std::string& path, ChildSpec& child);
  void load_factory(Reader& reader, const Node& node, const std::string& path, ChildSpec& child);
  void guess_kind(const Node& node, const std::string& path, ChildSpec& child);
  void check_siblings(const Entry& list, const std::string& path, const SupervisorSpec& spec);
  void check_dependencies(const Node& node, const std::string& path, const ChildSpec& child,
                          const std::vector<std::string>& names, bool& sound);

  LoadContext& context_;
  const std::vector<std::string>& factories_;
};

/// Reads `shutdown` and `policy` of the map `node` into the scope: shared by root and children.
void load_scope(LoadContext& context, const Node& node, const std::string& path, Scope& scope);

/// initial <= max, checked where either is written.
void check_backoff(LoadContext& context, const Node& node, const std::string& path,
                   const Backoff& backoff);

}  // namespace espalier::supervisor::internal
