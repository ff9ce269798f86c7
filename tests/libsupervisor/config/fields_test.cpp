#include "libsupervisor/config/support/load.hpp"

#include <gmock/gmock.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

LoadOptions with_probes() {
  auto options = options_with();
  options.known_probes = {"well"};
  return options;
}

ChildSpec only_child(const std::string& fields) {
  const auto config =
      load("children:\n  - {name: peer, command: [x]}\n  - {name: a, command: [x], " + fields + "}",
           with_probes());
  return config.tree.children.size() == 2 ? config.tree.children[1] : ChildSpec{};
}

TEST(Fields, of_a_policy) {
  const auto policy = only_child(
                          "heartbeat: {interval: 1s, stale_after: 3s}, run_timeout: 1h, "
                          "on_timeout: escalate, severity: optional, no_backoff_for: "
                          "external_dependency, restart_budget: {max_burst: 2.5, "
                          "recovery_rate_per_sec: 0.25}")
                          .policy;
  EXPECT_EQ(policy.heartbeat_interval, 1s);
  EXPECT_EQ(policy.watchdog, 3s);
  EXPECT_EQ(policy.run_timeout, 1h);
  EXPECT_EQ(policy.on_timeout, FatalAction::escalate);
  EXPECT_EQ(policy.severity, SeverityClass::optional);
  EXPECT_EQ(policy.no_backoff_for, FailureCategory::external_dependency);
  EXPECT_EQ(policy.budget, (RestartBudget{2.5, 0.25}));
}

TEST(Fields, of_a_policy_in_other_spellings) {
  const auto policy = load(R"(
policy: {heartbeat_interval_ms: 1000, stale_after_ms: 3000, restart_budget: {max_burst: 7}}
children: [{name: a, command: [x], criticality: critical}]
)")
                          .tree.children.at(0)
                          .policy;
  EXPECT_EQ(policy.heartbeat_interval, 1s);
  EXPECT_EQ(policy.watchdog, 3s);
  EXPECT_EQ(policy.severity, SeverityClass::critical);
  EXPECT_EQ(policy.budget, (RestartBudget{7, 0.5}));
  EXPECT_EQ(only_child("watchdog: 5s").policy.watchdog, 5s);
  EXPECT_EQ(only_child("heartbeat: 5s").policy.watchdog, 5s);
}

TEST(Fields, of_probes) {
  const auto health = [](const std::string& probe) {
    const auto check = only_child("health_check: {" + probe + "}").policy.health_check;
    return check ? *check : ProbeSpec{};
  };
  EXPECT_EQ(health("exec: [ping, -c1]").command, (std::vector<std::string>{"ping", "-c1"}));
  EXPECT_EQ(health("tcp: \"db:5432\"").host, "db");
  EXPECT_EQ(health("tcp: \"db:5432\"").port, 5432);
  EXPECT_EQ(health("tcp: \"[::1]:80\"").host, "::1");
  EXPECT_EQ(health("tcp: unix:/run/db.sock").socket, "/run/db.sock");
  const auto http = health("http: \"http://localhost:80/healthz\", timeout: 1s, retries: 1");
  EXPECT_EQ(http.kind, ProbeSpec::Kind::http);
  EXPECT_EQ(http.host, "localhost");
  EXPECT_EQ(http.path, "/healthz");
  EXPECT_EQ(http.timeout, 1s);
  EXPECT_EQ(http.retries, 1U);
  EXPECT_EQ(health("http: unix:/run/x.sock, path: /up").path, "/up");
  EXPECT_EQ(health("function: well, initial_delay: 2s").initial_delay, 2s);
}

TEST(Fields, a_probe_makes_readiness_wait_for_it) {
  for (const auto* readiness : {"{probe: {exec: [x]}}", "{mode: explicit, probe: {exec: [x]}}",
                                "{mode: probe, probe: {exec: [x]}}"}) {
    const auto policy = only_child("readiness: " + std::string(readiness)).policy;
    EXPECT_EQ(policy.readiness, Readiness::probe) << readiness;
    EXPECT_TRUE(policy.readiness_probe) << readiness;
  }
}

TEST(Fields, a_child_changes_or_drops_an_inherited_probe) {
  const auto config = load(R"(
policy:
  health_check: {exec: [x], interval: 3s}
  readiness: {probe: {tcp: "h:1"}}
children:
  - {name: a, command: [x]}
  - {name: b, command: [x], health_check: {retries: 7}}
  - {name: c, command: [x], health_check: none, readiness: immediate}
)");
  const auto& children = config.tree.children;
  ASSERT_EQ(children.size(), 3U);
  EXPECT_EQ(children[0].policy.health_check->retries, 3U);
  EXPECT_EQ(children[0].policy.readiness, Readiness::probe);
  EXPECT_EQ(children[1].policy.health_check->retries, 7U);
  EXPECT_EQ(children[1].policy.health_check->interval, 3s);
  EXPECT_EQ(children[2].policy.health_check, nullptr);
  EXPECT_EQ(children[2].policy.readiness_probe, nullptr);
}

TEST(Fields, of_a_child) {
  const auto child = only_child(
      "tags: [eu, web], restart_strategy: RestForOne, can_suspend: true, "
      "permissions: {restart: true}, sidecar: {primary: peer, linked_lifecycle: true}, "
      "gates: [{path: /run/a.sock}, {port: 8080}, {pid_file: /run/a.pid}]");
  EXPECT_THAT(child.tags, ElementsAre("eu", "web"));
  EXPECT_EQ(child.strategy_override, Strategy::rest_for_one);
  EXPECT_TRUE(child.can_suspend);
  EXPECT_EQ(child.permissions, (ChildPermissions{true, false}));
  EXPECT_EQ(child.sidecar, (Sidecar{"peer", true}));
  EXPECT_THAT(child.gates, ElementsAre(StartGate{StartGate::Kind::path, "/run/a.sock"},
                                       StartGate{StartGate::Kind::port, "8080"},
                                       StartGate{StartGate::Kind::pid_file, "/run/a.pid"}));
  EXPECT_EQ(only_child("sidecar: peer").sidecar, (Sidecar{"peer", false}));
}

TEST(Fields, of_a_supervisor) {
  const auto tree = load(R"(
supervisor:
  strategy: rest_for_one
  scope: dependents
  escalation_policy: QuarantineScope
  restart_budget: {max_burst: 3}
  auto_shutdown: all_significant
  dynamic: {enabled: false, child_limit: 9}
  config_version: "7"
  admission: {max_concurrent_starts: 2, restarts_per_second: 0.5, burst: 4}
  groups:
    - name: front
      strategy: OneForAll
      restart_limit: {max_restarts: 3, window: 9s}
      restart_budget: {recovery_rate_per_sec: 2}
      depends_on: [{group: back}]
    - {name: back}
  overrides: [{child: b, strategy: OneForAll}]
children:
  - {name: a, command: [x], group: front, restart: temporary, significant: true}
  - {name: b, command: [x], group: back}
  - {name: n, restart_budget: {max_burst: 8}, child_restart_budget: {max_burst: 6}, children: []}
)")
                        .tree;
  EXPECT_TRUE(tree.restart_dependents_only);
  EXPECT_EQ(tree.escalation, EscalationPolicy::quarantine_scope);
  EXPECT_EQ(tree.budget, (RestartBudget{3, 0.5}));
  EXPECT_EQ(tree.auto_shutdown, AutoShutdown::all_significant);
  EXPECT_EQ(tree.dynamic, (DynamicSpec{false, 9}));
  EXPECT_EQ(tree.config_version, "7");
  EXPECT_EQ(tree.admission, (AdmissionSpec{2, 0.5, 4}));
  GroupSpec front;
  front.name = "front";
  front.strategy = Strategy::one_for_all;
  front.restart_limit = RestartLimit{3, 9s};
  front.budget = RestartBudget{10, 2};
  front.depends_on = {{"back", Propagation::full}};
  GroupSpec back;
  back.name = "back";
  EXPECT_THAT(tree.groups, ElementsAre(front, back));
  ASSERT_EQ(tree.children.size(), 3U);
  EXPECT_EQ(tree.children[0].group, "front");
  EXPECT_TRUE(tree.children[0].significant);
  EXPECT_EQ(tree.children[1].strategy_override, Strategy::one_for_all);
  EXPECT_EQ(tree.children[2].supervisor->budget->max_burst, 8);
  EXPECT_EQ(tree.children[2].policy.budget->max_burst, 6);
}

TEST(Fields, of_pools) {
  const auto tree = load(R"(
policy: {restart: transient}
children:
  - name: workers
    restart_limit: 4
    pool:
      min: 2
      max: 8
      restart_limit: {max_restarts: 99}
      template: {command: [work], role: worker, tags: [t]}
)")
                        .tree;
  ASSERT_EQ(tree.children.size(), 1U);
  const auto& workers = tree.children[0];
  EXPECT_EQ(workers.kind, ChildKind::pool);
  EXPECT_EQ(workers.policy.restart_limit->max_restarts, 4U);
  EXPECT_EQ(workers.policy.stop.kind, StopPolicy::Kind::infinity);
  ASSERT_TRUE(workers.pool);
  EXPECT_EQ(workers.pool->size, 2U);
  EXPECT_EQ(workers.pool->max, 8U);
  EXPECT_EQ(workers.pool->restart_limit->max_restarts, 99U);
  EXPECT_EQ(workers.pool->child.kind, ChildKind::process);
  EXPECT_EQ(workers.pool->child.policy.restart_limit->max_restarts, 3U);
  EXPECT_EQ(workers.pool->child.process->command.at(0), "work");
}

TEST(Fields, of_code) {
  const auto tree = load(R"(
children:
  - {name: a, kind: async, factory: builtin.idle}
  - {name: b, kind: blocking, factory: builtin.idle, isolation: process,
     environment: {A: b}, resource_limits: {memory: 1GiB}}
)")
                        .tree;
  ASSERT_EQ(tree.children.size(), 2U);
  EXPECT_EQ(tree.children[0].kind, ChildKind::async);
  EXPECT_EQ(tree.children[0].isolation, Isolation::none);
  EXPECT_EQ(tree.children[1].isolation, Isolation::process);
  ASSERT_TRUE(tree.children[1].process);
  EXPECT_EQ(tree.children[1].process->environment, (Variables{{"A", "b"}}));
}

TEST(Roles, go_over_the_defaults_and_below_what_a_child_says) {
  const auto config = load(R"(
policy: {restart: temporary, child_restart_limit: 9, watchdog: 7s}
children:
  - {name: a, command: [x], role: service, child_restart_limit: {max_restarts: 2}}
  - {name: b, command: [x], work_role: job}
)");
  ASSERT_EQ(config.tree.children.size(), 2U);
  const auto& a = config.tree.children[0];
  EXPECT_EQ(a.role, WorkRole::service);
  EXPECT_EQ(a.policy.restart, RestartType::permanent);
  EXPECT_EQ(a.policy.restart_limit->max_restarts, 2U);
  EXPECT_EQ(a.policy.watchdog, 7s);
  EXPECT_EQ(field_of(config, "children[0].restart"), "permanent (role service)");
  EXPECT_EQ(field_of(config, "children[0].child_restart_limit.max_restarts"), "2 (t.yaml:4:80)");
  EXPECT_EQ(field_of(config, "children[0].child_restart_limit.window"), "1m (role service)");
  EXPECT_EQ(field_of(config, "children[0].heartbeat.stale_after"), "7s (t.yaml:2:64)");
  EXPECT_EQ(field_of(config, "children[1].on_timeout"), "escalate (role job)");
  EXPECT_EQ(field_of(config, "children[1].severity"), "optional (role job)");
  EXPECT_THAT(render_effective(config), HasSubstr("    severity: critical  # role service\n"));
}

TEST(Roles, a_job_that_never_ends_is_a_warning) {
  const auto config = load(R"(
children:
  - {name: a, command: [x], role: job, restart: permanent}
  - {name: p, pool: {size: 1, template: {command: [x], role: job, restart: permanent}}}
  - {name: b, command: [x], role: job}
)");
  ASSERT_EQ(config.warnings.size(), 2U);
  EXPECT_EQ(config.warnings[0].to_string(),
            "t.yaml:3:49: children[0].restart: a job is done once it completes, but restart: "
            "permanent runs it again and again; make it transient, or a service");
  EXPECT_EQ(config.warnings[1].key, "children[1].pool.template.restart");
}

TEST(Schema, describes_every_new_field) {
  const auto schema = render_json_schema();
  for (const auto* field :
       {"heartbeat", "run_timeout", "health_check", "restart_strategy", "gates", "sidecar", "pool",
        "template", "groups", "overrides", "admission", "isolation", "role", "severity"}) {
    EXPECT_THAT(schema, HasSubstr("\"" + std::string(field) + "\": {")) << field;
  }
}

}  // namespace
}  // namespace espalier::supervisor
