#include "espalier/supervisor/config/internal/child_loader.hpp"
#include "espalier/supervisor/config/internal/tree_edit.hpp"
#include "espalier/supervisor/os/read_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>

namespace espalier::supervisor {

namespace {

using internal::Node;
using internal::Problems;
using Result = expected<TreeConfig, std::vector<ConfigProblem>>;

const Node* section(const Node& root, const std::string& name) {
  const auto* entry = root.find(name);
  return entry == nullptr ? nullptr : &entry->value;
}

/// Where the section stands it is switched on, unless it says otherwise.
void load_dashboard(internal::LoadContext& context, const Node& node, TreeConfig& config) {
  internal::Sources sources;
  config.dashboard.enabled = true;
  internal::Reader reader(context, &node, "dashboard", sources);
  internal::describe_dashboard(reader, config.dashboard);
  reader.finish();
  for (const auto& problem : internal::dashboard_problems(config.dashboard, config.tree.name))
    internal::file_problem(context, node, "dashboard", problem);
}

void load_backpressure(internal::LoadContext& context, const Node& root, TreeConfig& config) {
  const auto* node = section(root, "backpressure");
  if (node == nullptr) return;
  internal::Sources sources;
  internal::Reader reader(context, node, "backpressure", sources);
  internal::describe_backpressure(reader, config.backpressure);
  reader.finish();
  for (const auto& problem : internal::backpressure_problems(config.backpressure))
    internal::file_problem(context, *node, "backpressure", problem);
}

void load_root(Node& root, internal::LoadContext& context, const LoadOptions& options,
               TreeConfig& config) {
  internal::Sources unused;
  internal::Reader top(context, &root, {}, unused);
  for (const auto* key : {"supervisor", "policy", "shutdown", "observability", "backpressure",
                          "dashboard", "children"}) {
    top.allow(key);
  }
  top.finish();
  internal::Sources sources;
  internal::Reader supervisor(context, section(root, "supervisor"), "supervisor", sources);
  internal::Overrides overrides;
  internal::describe_supervisor(supervisor, config.tree, &overrides);
  supervisor.finish();
  internal::Scope scope;
  internal::load_scope(context, root, {}, scope);
  config.tree.shutdown = scope.shutdown;
  internal::Reader observability(context, section(root, "observability"), "observability", sources);
  internal::describe_observability(observability, config.observability);
  observability.finish();
  if (const auto* node = section(root, "observability"); node != nullptr) {
    for (const auto& problem : internal::observability_problems(config.observability))
      internal::file_problem(context, *node, "observability", problem);
    internal::LoadContext heed{context.environment, config.warnings, config.warnings,
                               context.fields};
    for (const auto& warning : internal::observability_warnings(config.observability))
      internal::file_problem(heed, *node, "observability", warning);
  }
  load_backpressure(context, root, config);
  if (const auto* dashboard = section(root, "dashboard"); dashboard != nullptr) {
    load_dashboard(context, *dashboard, config);
  }
  if (auto* children = root.find("children"); children != nullptr) {
    internal::ChildLoader(context, options).load(*children, "children", scope, config.tree);
  }
  internal::finish_level(context, section(root, "supervisor"), "supervisor", true, overrides,
                         config.tree);
}

void sort_by_position(Problems& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.position.line, a.position.column) <
           std::tie(b.position.line, b.position.column);
  });
}

Result refuse(const std::string& path, const std::string& message) {
  return unexpected<Problems>(Problems{{{path, 0, 0}, "", message}});
}

}  // namespace

Result load_tree_text(const std::string& text, const std::string& file_name,
                      const LoadOptions& options) {
  Problems problems;
  auto root = internal::read_yaml(text, file_name, problems);
  if (!root) return unexpected<Problems>(std::move(problems));
  if (root->kind != Node::Kind::map) {
    return refuse(file_name, root->kind == Node::Kind::null
                                 ? "the file is empty; a tree needs at least children:"
                                 : "expected a map with supervisor, policy, shutdown, "
                                   "observability, backpressure, dashboard and children");
  }
  internal::move_spellings(*root, internal::root_spellings(), {}, problems);
  if (auto* policy = root->find("policy"); policy != nullptr) {
    internal::move_spellings(policy->value, internal::policy_spellings(), "policy", problems);
  }
  if (options.overrides_from_environment) internal::apply_overrides(*root, options, problems);
  TreeConfig config;
  internal::LoadContext context{options.environment, problems, config.warnings, config.fields};
  load_root(*root, context, options, config);
  if (problems.empty()) return config;
  sort_by_position(problems);
  return unexpected<Problems>(std::move(problems));
}

Result load_tree_file(const std::string& path, const LoadOptions& options) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!std::filesystem::exists(status)) return refuse(path, "no such file; check the path");
  if (std::filesystem::is_directory(status)) {
    return refuse(path, "is a folder; name the file in it");
  }
  const auto text = read_file(path, internal::size_limit);
  if (!text && text.error() == EACCES) return refuse(path, "cannot be read; check its permissions");
  if (!text)
    return refuse(path, "reading it failed: " + std::generic_category().message(text.error()));
  return load_tree_text(*text, path, options);
}

}  // namespace espalier::supervisor
