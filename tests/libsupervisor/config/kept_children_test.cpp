#include "espalier/supervisor/config/kept_children.hpp"

#include "espalier/supervisor/core/tree_plan.hpp"
#include "libsupervisor/config/support/load.hpp"

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

LoadOptions known() {
  auto options = options_with({{"TOKEN", "word"}});
  options.known_probes = {"well"};
  return options;
}

KeptChild back(const std::string& text) {
  const auto kept = load_kept_children(text, "c.yaml", known());
  EXPECT_TRUE(kept) << kept.error().at(0).to_string() << "\n" << text;
  if (!kept || kept->size() != 1) return {};
  for (const auto& problem : kept->front().problems)
    ADD_FAILURE() << problem.to_string() << "\n" << text;
  return kept->front();
}

std::string fault(const std::string& text) {
  const auto kept = load_kept_children(text, "c.yaml", known());
  return kept ? "" : kept.error().at(0).to_string();
}

ProbeSpec probe(ProbeSpec::Kind kind) {
  ProbeSpec result{.kind = kind, .initial_delay = 1s, .interval = 2s, .timeout = 3s, .retries = 4};
  if (kind == ProbeSpec::Kind::exec) result.command = {"test", "-f", "a b"};
  if (kind == ProbeSpec::Kind::function) result.function = "well";
  if (kind == ProbeSpec::Kind::tcp) result.port = 7;
  if (kind == ProbeSpec::Kind::http) {
    result.socket = "/run/x.sock";
    result.path = "/up";
  }
  return result;
}

// Every field differs from its default.
ChildPolicy odd_policy() {
  ChildPolicy policy;
  policy.restart = RestartType::transient;
  policy.restart_limit = RestartLimit{3, 7s};
  policy.on_exhausted = OnExhausted::escalate;
  policy.backoff = {10ms, 2s, Jitter::decorrelated, 11s};
  policy.readiness = Readiness::probe;
  policy.start_timeout = 31s;
  policy.watchdog = 20s;
  policy.heartbeat_interval = 5s;
  policy.run_timeout = 90s;
  policy.stop = {StopPolicy::Kind::timed, 1500ms};
  policy.on_fatal_config = FatalAction::escalate;
  policy.on_fatal_bug = FatalAction::restart;
  policy.on_timeout = FatalAction::leave_stopped;
  policy.severity = SeverityClass::optional;
  policy.budget = RestartBudget{2.5, 0.25};
  policy.no_backoff_for = FailureCategory::external_dependency;
  policy.readiness_probe = std::make_shared<ProbeSpec>(probe(ProbeSpec::Kind::exec));
  policy.health_check = std::make_shared<ProbeSpec>(probe(ProbeSpec::Kind::http));
  return policy;
}

ChildSpec odd_child(const std::string& name) {
  ChildSpec child{.name = name, .policy = odd_policy()};
  child.dependencies = {"one", "two"};
  child.group = "g";
  child.tags = {"a b", "c"};
  child.strategy_override = Strategy::rest_for_one;
  child.role = WorkRole::sidecar;
  child.sidecar = Sidecar{"one", true};
  child.gates = {{StartGate::Kind::port, "80"}, {StartGate::Kind::pid_file, "/run/x"}};
  child.significant = true;
  child.can_suspend = true;
  child.permissions = {true, true};
  return child;
}

ProcessSpec odd_process() {
  ProcessSpec process;
  process.command = {"/bin/x", "", "${A}", "\"q\"", "# no", "two\nlines", "true", "ü"};
  process.environment = {{"A", "b: c"}, {"E", ""}, {"T", "word"}};
  process.secrets = {{"T", {SecretSource::Kind::env, "TOKEN"}}};
  process.clear_environment = true;
  process.cwd = "/tmp";
  process.user = "nobody";
  process.group = "nogroup";
  process.umask = 027;
  process.nice = 5;
  process.resource_limits = {1U << 30U, 60, 64, 0};
  process.stop_signal = 2;
  process.success_exit_codes = {0, 3};
  process.log_output = false;
  return process;
}

void expect_same_but_siblings(ChildSpec child, ChildSpec other) {
  EXPECT_EQ(child.dependencies, other.dependencies);
  child.dependencies.clear();
  other.dependencies.clear();
  const auto plan = plan_tree({.children = {child}}, {.children = {other}});
  EXPECT_TRUE(plan.empty()) << plan.front();
}

void expect_kept(const ChildSpec& child) {
  const auto kept = back(render_kept_child("/a/b", child));
  EXPECT_EQ(kept.parent, "/a/b");
  expect_same_but_siblings(child, kept.child);
}

TEST(KeptChildren, every_field_of_a_process_reads_back) {
  auto child = odd_child("p");
  child.kind = ChildKind::process;
  child.process = std::make_shared<ProcessSpec>(odd_process());
  expect_kept(child);
  const auto text = render_kept_child("/", child);
  EXPECT_EQ(*back(text).child.process, odd_process());
  EXPECT_EQ(text.find("word"), std::string::npos) << text;
}

TEST(KeptChildren, every_field_of_a_function_reads_back) {
  auto child = odd_child("f");
  child.kind = ChildKind::blocking;
  child.factory = "builtin.idle";
  child.params = {{"k", "1"}, {"l m", ""}};
  expect_kept(child);
  child.isolation = Isolation::process;
  auto process = odd_process();
  const ProcessSpec plain;
  process.command = plain.command;
  process.stop_signal = plain.stop_signal;
  process.success_exit_codes = plain.success_exit_codes;
  child.process = std::make_shared<ProcessSpec>(process);
  expect_kept(child);
  for (const auto kind : {ChildKind::actor, ChildKind::async}) {
    child = odd_child("f");
    child.kind = kind;
    child.factory = "builtin.ticker";
    expect_kept(child);
  }
}

TEST(KeptChildren, other_words_and_nothing_at_all_read_back) {
  ChildSpec child{.name = "true", .kind = ChildKind::actor, .factory = "builtin.idle"};
  expect_kept(child);
  child.policy.restart_limit.reset();
  child.policy.restart = RestartType::temporary;
  child.policy.readiness = Readiness::explicit_report;
  child.policy.start_timeout = Duration::zero();
  child.policy.stop = {StopPolicy::Kind::brutal_kill};
  child.policy.health_check = std::make_shared<ProbeSpec>(probe(ProbeSpec::Kind::function));
  expect_kept(child);
  child.policy.stop = {StopPolicy::Kind::infinity};
  child.policy.health_check = std::make_shared<ProbeSpec>(probe(ProbeSpec::Kind::tcp));
  child.role = WorkRole::job;
  expect_kept(child);
}

TEST(KeptChildren, supervisors_and_pools_read_back) {
  SupervisorSpec inner{.name = "s", .strategy = Strategy::one_for_all};
  inner.start_failure = StartFailure::restart;
  inner.restart_limit.reset();
  inner.escalation = EscalationPolicy::quarantine_scope;
  inner.budget = RestartBudget{3, 1};
  inner.auto_shutdown = AutoShutdown::any_significant;
  inner.restart_dependents_only = true;
  inner.dynamic = {false, 7, {}};
  inner.groups = {{.name = "g",
                   .strategy = Strategy::one_for_one,
                   .restart_limit = RestartLimit{1, 2s},
                   .budget = RestartBudget{},
                   .depends_on = {{.group = "h", .propagation = Propagation::none}}},
                  {.name = "h"}};
  inner.shutdown = {ShutdownOrder::parallel, 2s, 40s};
  ChildSpec leaf{.name = "one", .kind = ChildKind::actor, .factory = "builtin.idle"};
  inner.children = {leaf};
  auto child = odd_child("s");
  child.kind = ChildKind::supervisor;
  child.supervisor = std::make_shared<SupervisorSpec>(inner);
  expect_kept(child);

  PoolSpec pool{.child = leaf, .size = 3, .min = 1, .max = 9};
  pool.child.name = "member";
  pool.restart_limit = RestartLimit{4, 5s};
  child = odd_child("p");
  child.kind = ChildKind::pool;
  child.pool = std::make_shared<PoolSpec>(pool);
  expect_kept(child);
}

TEST(KeptChildren, any_number_stands_in_one_file) {
  const ChildSpec child{.name = "a", .kind = ChildKind::actor, .factory = "builtin.idle"};
  std::string text = "# head\n\n";
  constexpr std::size_t many = 2000;  // More nodes than one document may have.
  for (std::size_t i = 0; i < many; ++i)
    text += render_kept_child("/", child);
  const auto kept = load_kept_children(text, "c.yaml", known());
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), many);
  EXPECT_EQ(kept->back().text, render_kept_child("/", child));
  EXPECT_GT(kept->back().child.position.line, 3000);
  EXPECT_TRUE(load_kept_children("", "c.yaml", known())->empty());
}

TEST(KeptChildren, an_entry_that_does_not_fit_spoils_no_other) {
  const std::string text =
      "- parent: /\n  child: {name: a, command: [x]}\n"
      "- parent: /\n  child: {name: b, kind: actor, factory: gone}\n"
      "- parent: /\n  child: {name: c, comand: [x], environment: {K: {secret: {env: NONE}}}}\n"
      "- {parent: /d}\n"
      "- parent: /\n  child: {name: e, command: [x], dependencies: [unknown], group: g}\n";
  const auto kept = load_kept_children(text, "c.yaml", known());
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 5U);
  EXPECT_TRUE(kept->at(0).problems.empty());
  EXPECT_EQ(kept->at(1).problems.at(0).to_string().substr(0, 34),
            "c.yaml:4:42: child.factory: no fac");
  EXPECT_FALSE(kept->at(2).problems.empty());
  EXPECT_EQ(kept->at(3).problems.at(0).to_string(),
            "c.yaml:7:3: child: is missing; an entry is made of parent and child");
  EXPECT_TRUE(kept->at(4).problems.empty());
}

TEST(KeptChildren, text_that_is_no_such_list_is_an_error_with_its_place) {
  EXPECT_EQ(fault("# x\nchildren: []\n"),
            "c.yaml:2:1: expected an entry that begins with - parent:");
  EXPECT_EQ(fault("- parent: /\n  child: {name: a, command: [x]}\n- parent: /\n  child: {a: [\n")
                .substr(0, 9),
            "c.yaml:5:");
  EXPECT_EQ(fault("- parent: /\n  parent: /\n").substr(0, 12), "c.yaml:2:3: ");
}

std::string fault_of_child(const std::string& text) {
  const auto child = load_child_text(text, "text", known());
  return child || child.error().empty() ? "" : child.error().front().to_string();
}

TEST(ChildText, is_read_from_json_and_from_yaml) {
  for (const auto* text :
       {R"({"name": "a", "command": ["x", "\u00e9 \"q\""], "restart": "transient", "nice": -1})",
        "name: a\ncommand: [x, '\u00e9 \"q\"']\nrestart: transient\nnice: -1\n"}) {
    const auto child = load_child_text(text, "text", known());
    ASSERT_TRUE(child) << text;
    EXPECT_EQ(child->name, "a");
    EXPECT_EQ(child->kind, ChildKind::process);
    EXPECT_EQ(child->policy.restart, RestartType::transient);
    EXPECT_EQ(child->process->command.at(1), "\u00e9 \"q\"");
    EXPECT_EQ(child->process->nice, -1);
  }
}

TEST(ChildText, tells_of_faults_with_line_column_and_key) {
  EXPECT_EQ(fault_of_child("{\"name\": \"a\", \"command\": [\"x\"],\n \"restrat\": \"permanent\"}"),
            "text:2:2: child.restrat: unknown key; did you mean restart?");
  EXPECT_EQ(fault_of_child("{\"name\": \"9\", \"command\": [\"x\"]}").substr(0, 22),
            "text:1:10: child.name:");
  EXPECT_EQ(fault_of_child("[]"), "text:1:1: child: expected a map with at least a name");
  EXPECT_NE(fault_of_child(""), "");
  EXPECT_NE(fault_of_child("{\"name\": "), "");
}

TEST(FactoryKinds, are_checked_where_they_are_known) {
  auto options = options_with();
  options.factory_kinds = {{"builtin.idle", ChildKind::blocking}};
  EXPECT_EQ(faults("children:\n  - {name: a, kind: actor, factory: builtin.idle}\n"
                   "  - {name: b, kind: blocking, factory: builtin.idle}\n"
                   "  - {name: c, kind: actor, factory: builtin.ticker}\n",
                   options),
            "t.yaml:2:21: children[0].kind: the factory \"builtin.idle\" makes children of kind "
            "blocking; write that here\n");
}

TEST(Registry, belongs_to_the_root) {
  const auto config = load("supervisor: {dynamic: {registry: /x/y}}\nchildren: []\n");
  EXPECT_EQ(config.tree.dynamic.registry, "/x/y");
  EXPECT_EQ(faults("children:\n  - {name: a, children: [], dynamic: {registry: /x}}\n"),
            "t.yaml:2:49: children[0].dynamic.registry: one file keeps the added children of a "
            "whole tree; move it to the root\n");
}

}  // namespace
}  // namespace espalier::supervisor
