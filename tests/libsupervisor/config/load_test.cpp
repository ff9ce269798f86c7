#include "libsupervisor/config/support/load.hpp"

#include <csignal>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

TEST(Load, a_whole_tree) {
  const auto config = load(R"(
supervisor:
  name: shop
  strategy: OneForAll
  start_failure: restart
  restart_limit: {max_restarts: 3, window: 10s}
policy:
  restart: transient
  backoff: {initial: 200ms, max: 2m, jitter: equal, reset_after: 1h}
  child_restart_limit: {max_restarts: 0x10, window_ms: 1500, on_exhausted: stop}
  readiness: explicit
  watchdog: 3s
shutdown: {order: parallel, graceful_timeout: 7s, abort_wait_ms: 250, total_timeout: 9s}
observability:
  journal: {capacity: 17}
  logs: {level: warning, format: json}
children:
  - name: db
    kind: process
    command: [db, --port, 0, "yes", no]
    environment: {A: 1, B: ""}
    clear_environment: true
    cwd: /srv
    user: nobody
    user_group: 65534
    umask: "027"
    nice: -5
    resource_limits: {memory: 512MiB, cpu: 10, open_files: 64, core: 0}
    stop_signal: INT
    success_exit_codes: [0, 3]
    log_output: false
    graceful_timeout: brutal_kill
    on_fatal_bug: LeaveStopped
  - name: workers
    strategy: RestForOne
    restart_limit: unlimited
    dependencies: [db]
    policy: {restart: permanent}
    children:
      - {name: index, kind: blocking, factory: builtin.idle, params: {n: 3}}
)");
  const auto& tree = config.tree;
  EXPECT_EQ(tree.name, "shop");
  EXPECT_EQ(tree.strategy, Strategy::one_for_all);
  EXPECT_EQ(tree.start_failure, StartFailure::restart);
  EXPECT_EQ(tree.restart_limit->max_restarts, 3U);
  EXPECT_EQ(tree.restart_limit->window, 10s);
  EXPECT_EQ(tree.shutdown.order, ShutdownOrder::parallel);
  EXPECT_EQ(tree.shutdown.abort_wait, 250ms);
  EXPECT_EQ(tree.shutdown.total_timeout, 9s);
  EXPECT_EQ(config.observability.journal_capacity, 17U);
  EXPECT_EQ(config.observability.logs.level, "warning");
  EXPECT_EQ(config.observability.logs.format, "json");
  ASSERT_EQ(tree.children.size(), 2U);

  const auto& db = tree.children[0];
  EXPECT_EQ(db.position.line, 18);
  EXPECT_EQ(db.policy.restart, RestartType::transient);
  EXPECT_EQ(db.policy.backoff.initial, 200ms);
  EXPECT_EQ(db.policy.backoff.max, 2min);
  EXPECT_EQ(db.policy.backoff.jitter, Jitter::equal);
  EXPECT_EQ(db.policy.backoff.reset_after, 1h);
  EXPECT_EQ(db.policy.restart_limit->max_restarts, 16U);
  EXPECT_EQ(db.policy.restart_limit->window, 1500ms);
  EXPECT_EQ(db.policy.on_exhausted, OnExhausted::stop);
  EXPECT_EQ(db.policy.readiness, Readiness::explicit_report);
  EXPECT_EQ(db.policy.watchdog, 3s);
  EXPECT_EQ(db.policy.stop.kind, StopPolicy::Kind::brutal_kill);
  EXPECT_EQ(db.policy.on_fatal_bug, FatalAction::leave_stopped);
  ASSERT_TRUE(db.process);
  EXPECT_EQ(db.process->command, (std::vector<std::string>{"db", "--port", "0", "yes", "no"}));
  EXPECT_EQ(db.process->environment, (Variables{{"A", "1"}, {"B", ""}}));
  EXPECT_TRUE(db.process->clear_environment);
  EXPECT_EQ(db.process->group, "65534");
  EXPECT_EQ(db.process->umask, 027U);
  EXPECT_EQ(db.process->nice, -5);
  EXPECT_EQ(db.process->resource_limits.memory_bytes, 512U << 20U);
  EXPECT_EQ(db.process->resource_limits.core_bytes, 0U);
  EXPECT_EQ(db.process->stop_signal, SIGINT);
  EXPECT_EQ(db.process->success_exit_codes, (std::vector<int>{0, 3}));
  EXPECT_FALSE(db.process->log_output);

  const auto& workers = tree.children[1];
  EXPECT_EQ(workers.kind, ChildKind::supervisor);
  EXPECT_EQ(workers.policy.stop.kind, StopPolicy::Kind::infinity);
  EXPECT_EQ(workers.policy.restart, RestartType::transient);
  ASSERT_TRUE(workers.supervisor);
  EXPECT_EQ(workers.supervisor->name, "workers");
  EXPECT_EQ(workers.supervisor->strategy, Strategy::rest_for_one);
  EXPECT_FALSE(workers.supervisor->restart_limit);
  EXPECT_EQ(workers.supervisor->shutdown.order, ShutdownOrder::parallel);
  const auto& index = workers.supervisor->children.at(0);
  EXPECT_EQ(index.policy.restart, RestartType::permanent);
  EXPECT_EQ(index.policy.backoff.initial, 200ms);
  EXPECT_EQ(index.policy.stop.grace, 7s);
  EXPECT_EQ(index.params, (Variables{{"n", "3"}}));
}

TEST(Load, flat_keys_are_other_spellings) {
  const auto config = load(R"(
supervisor: {strategy: OneForOne}
policy:
  child_restart_limit: 4
  child_restart_window_ms: 2000
  supervisor_failure_limit: 8
  supervisor_failure_window_ms: 9000
  initial_backoff_ms: 20
  max_backoff_ms: 400
  stale_after_ms: 700
shutdown: {graceful_timeout_ms: 1000, abort_wait_ms: 100}
observability: {event_journal_capacity: 33}
children:
  - {name: a, command: [x], restart_limit: {max_restarts: 1}}
)");
  EXPECT_EQ(config.tree.restart_limit->max_restarts, 8U);
  EXPECT_EQ(config.tree.restart_limit->window, 9s);
  EXPECT_EQ(config.observability.journal_capacity, 33U);
  const auto& policy = config.tree.children.at(0).policy;
  EXPECT_EQ(policy.restart_limit->max_restarts, 1U);
  EXPECT_EQ(policy.restart_limit->window, 2s);
  EXPECT_EQ(policy.backoff.initial, 20ms);
  EXPECT_EQ(policy.backoff.max, 400ms);
  EXPECT_EQ(policy.watchdog, 700ms);
  EXPECT_EQ(policy.stop.grace, 1s);
  EXPECT_EQ(field_of(config, "policy.backoff.initial"), "20ms (t.yaml:8:23)");
}

TEST(Load, an_unlimited_parent_can_be_limited_below) {
  const auto config = load(R"(
policy: {child_restart_limit: {max_restarts: unlimited, on_exhausted: stop}}
children:
  - {name: a, command: [x]}
  - {name: b, command: [x], child_restart_limit: 2}
)");
  EXPECT_FALSE(config.tree.children.at(0).policy.restart_limit);
  EXPECT_EQ(config.tree.children.at(0).policy.on_exhausted, OnExhausted::stop);
  EXPECT_EQ(config.tree.children.at(1).policy.restart_limit->max_restarts, 2U);
}

TEST(Load, variables_are_substituted_in_values) {
  const auto options = options_with({{"PORT", "80"}, {"EMPTY", ""}, {"QUIET", "true"}});
  const auto config = load(R"(
children:
  - name: a
    command: [web, "-p${PORT}", "${EMPTY:-e}", "${GONE:-}", "$${PORT} $HOME $$"]
    nice: ${NICE:-4}
    clear_environment: "${QUIET}"
)",
                           options);
  const auto& process = *config.tree.children.at(0).process;
  EXPECT_EQ(process.command,
            (std::vector<std::string>{"web", "-p80", "e", "", "${PORT} $HOME $$"}));
  EXPECT_EQ(process.nice, 4);
  EXPECT_TRUE(process.clear_environment);
}

TEST(Load, numbers_follow_yaml_1_2) {
  const auto config = load(R"(
children:
  - {name: no, command: [x], nice: 010, umask: 022, success_exit_codes: [0o17, 0xA, +1]}
)");
  EXPECT_EQ(config.tree.children.at(0).name, "no");
  const auto& process = *config.tree.children[0].process;
  EXPECT_EQ(process.nice, 10);
  EXPECT_EQ(process.umask, 022U);
  EXPECT_EQ(process.success_exit_codes, (std::vector<int>{15, 10, 1}));
}

TEST(Load, aliases_stand_for_what_they_name) {
  const auto config = load(R"(
children:
  - {name: a, command: &run [x, y]}
  - {name: b, command: *run}
)");
  EXPECT_EQ(config.tree.children.at(1).process->command, (std::vector<std::string>{"x", "y"}));
}

TEST(Load, sources_tell_where_a_value_was_written) {
  const auto config = load(R"(policy: {restart: transient}
shutdown: {graceful_timeout: 2s}
children:
  - {name: a, command: [x]}
  - name: b
    restart: temporary
    children:
      - {name: c, command: [x], watchdog: 1s}
)");
  EXPECT_EQ(field_of(config, "children[0].restart"), "transient (t.yaml:1:19)");
  EXPECT_EQ(field_of(config, "children[0].graceful_timeout"), "2s (t.yaml:2:30)");
  EXPECT_EQ(field_of(config, "children[0].heartbeat.stale_after"), "0s (default)");
  EXPECT_EQ(field_of(config, "children[1].restart"), "temporary (t.yaml:6:14)");
  EXPECT_EQ(field_of(config, "children[1].graceful_timeout"), "infinity (default)");
  EXPECT_EQ(field_of(config, "children[1].children[0].restart"), "transient (t.yaml:1:19)");
  EXPECT_EQ(field_of(config, "children[1].children[0].heartbeat.stale_after"), "1s (t.yaml:8:43)");
  EXPECT_EQ(field_of(config, "children[1].children[0].graceful_timeout"), "2s (t.yaml:2:30)");
}

}  // namespace
}  // namespace espalier::supervisor
