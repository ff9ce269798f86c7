#include "libsupervisor/config/support/load.hpp"

namespace espalier::supervisor {
namespace {

constexpr const char* everything = R"(
supervisor:
  name: odd
  restart_limit: unlimited
  scope: dependents
  restart_budget: {max_burst: 2.5}
  admission: {restarts_per_second: 0.25}
  groups: [{name: g, strategy: one_for_all, restart_limit: 3, depends_on: [{group: h}]}, {name: h}]
  overrides: [{child: b, strategy: rest_for_one}]
policy: {child_restart_limit: {max_restarts: unlimited, on_exhausted: escalate}}
children:
  - name: a
    command: ["a b", "quote\" back\\ tab\t", "# no comment", "true", "", "$${X}", "ü", ": -"]
    environment: {"K:1": "null", K2: "a: b"}
    umask: 7
    resource_limits: {memory: 1GiB}
    stop_signal: 40
    start_timeout: 1500us
  - {name: b, kind: actor, factory: builtin.ticker, params: {interval: 1s, empty: ""}}
  - name: c
    shutdown: {order: parallel}
    graceful_timeout: 3s
    dependencies: [a, b]
    children:
      - {name: d, command: [x]}
      - {name: e, children: []}
  - name: p
    group: g
    gates: [{port: 80}, {path: /x}]
    health_check: {http: "h:80/up", interval: 3s}
    readiness: {probe: {exec: ["true"]}}
    sidecar: {primary: a, linked_lifecycle: true}
    pool: {size: 2, restart_limit: unlimited, template: {kind: blocking, factory: builtin.idle,
           isolation: process, environment: {A: b}, role: worker}}
)";

std::string without_comments(const std::string& text) {
  std::istringstream input(text);
  std::string all;
  for (std::string line; std::getline(input, line);) {
    all += line.substr(0, line.rfind("  # ")) + "\n";
  }
  return all;
}

TEST(Render, the_effective_configuration_loads_to_the_same_tree) {
  const auto first = load(everything);
  const auto text = render_effective(first);
  const auto second = load(text);
  const auto& before = *first.tree.children.at(0).process;
  const auto& after = *second.tree.children.at(0).process;
  EXPECT_EQ(before.command, after.command);
  EXPECT_EQ(before.command.at(5), "${X}");
  EXPECT_EQ(before.environment, after.environment);
  EXPECT_EQ(after.stop_signal, 40);
  EXPECT_FALSE(second.tree.restart_limit);
  EXPECT_FALSE(second.tree.children[0].policy.restart_limit);
  EXPECT_EQ(second.tree.children[1].params, first.tree.children.at(1).params);

  EXPECT_EQ(second.tree.groups, first.tree.groups);
  EXPECT_EQ(second.tree.admission, first.tree.admission);
  EXPECT_EQ(second.tree.budget, first.tree.budget);
  EXPECT_EQ(second.tree.children[1].strategy_override, Strategy::rest_for_one);
  const auto& pool = second.tree.children.at(3);
  EXPECT_EQ(pool.gates, first.tree.children.at(3).gates);
  EXPECT_EQ(*pool.policy.health_check, *first.tree.children[3].policy.health_check);
  EXPECT_EQ(pool.policy.health_check->path, "/up");
  EXPECT_EQ(pool.policy.readiness, Readiness::probe);
  EXPECT_EQ(pool.pool->child.process->environment, (Variables{{"A", "b"}}));

  EXPECT_EQ(without_comments(text), without_comments(render_effective(second)));
  EXPECT_EQ(values_of(second), values_of(load(render_effective(second))));
}

TEST(Render, the_effective_configuration_names_sources) {
  const auto text = render_effective(load("children: [{name: a, command: [x], watchdog: 2s}]"));
  EXPECT_NE(text.find("      stale_after: 2s  # t.yaml:1:46\n"), std::string::npos) << text;
  EXPECT_NE(text.find("    restart: permanent  # default\n"), std::string::npos) << text;
}

TEST(Render, a_tree_built_in_code_renders_too) {
  TreeConfig config;
  config.tree.children.resize(1);
  config.tree.children[0].name = "a";
  config.tree.children[0].factory = "builtin.idle";
  EXPECT_EQ(load(render_effective(config)).tree.children.at(0).factory, "builtin.idle");
}

TEST(Render, the_template_loads_to_the_defaults) {
  const auto config = load(render_template());
  const auto defaults = load("children: []");
  for (const auto& field : defaults.fields) {
    EXPECT_EQ(field_of(config, field.key).substr(0, field.value.size() + 2), field.value + " (")
        << field.key;
  }
  ASSERT_EQ(config.tree.children.size(), 2U);
  EXPECT_EQ(config.tree.children[1].supervisor->children.size(), 1U);
}

TEST(Render, checked_in_files_are_up_to_date) {
  const std::string root = ESPALIER_SOURCE_DIR;
  EXPECT_EQ(read_file(root + "/examples/config/supervisor.template.yaml"), render_template());
  EXPECT_EQ(read_file(root + "/docs/schema/tree.schema.json"), render_json_schema());
}

TEST(Render, the_minimal_example_loads) {
  const auto result = load_tree_file(
      std::string(ESPALIER_SOURCE_DIR) + "/examples/config/minimal.yaml", options_with());
  ASSERT_TRUE(result) << result.error().at(0).to_string();
  EXPECT_EQ(result->tree.children.at(0).process->command.at(0), "sleep");
}

}  // namespace
}  // namespace espalier::supervisor
