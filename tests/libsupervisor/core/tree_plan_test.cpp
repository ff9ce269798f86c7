#include "espalier/supervisor/core/tree_plan.hpp"

#include <gmock/gmock.h>

namespace espalier::supervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ChildSpec process(std::string name, std::vector<std::string> command = {"sleep", "9"}) {
  ChildSpec child;
  child.name = std::move(name);
  child.kind = ChildKind::process;
  ProcessSpec spec;
  spec.command = std::move(command);
  child.process = std::make_shared<const ProcessSpec>(std::move(spec));
  return child;
}

ChildSpec nested(std::string name, std::vector<ChildSpec> children) {
  ChildSpec child;
  child.name = name;
  child.kind = ChildKind::supervisor;
  SupervisorSpec spec;
  spec.name = std::move(name);
  spec.children = std::move(children);
  child.supervisor = std::make_shared<const SupervisorSpec>(std::move(spec));
  return child;
}

ChildSpec pool(std::string name, std::uint32_t size, std::string command) {
  ChildSpec child;
  child.name = std::move(name);
  child.kind = ChildKind::pool;
  PoolSpec spec;
  spec.size = size;
  spec.child = process("worker", {std::move(command)});
  child.pool = std::make_shared<const PoolSpec>(std::move(spec));
  return child;
}

SupervisorSpec tree(std::vector<ChildSpec> children) {
  SupervisorSpec spec;
  spec.children = std::move(children);
  return spec;
}

LevelPlan plan(const SupervisorSpec& now, const SupervisorSpec& wanted,
               const std::set<std::string>& dynamic = {}) {
  std::vector<std::shared_ptr<const ChildSpec>> children;
  for (const auto& child : now.children)
    children.push_back(std::make_shared<const ChildSpec>(child));
  return plan_level(children, dynamic, now, wanted, "/");
}

TEST(TreePlan, IsEmptyForEqualTrees) {
  const auto make = [] {
    return tree({process("a"), nested("n", {process("b")}), pool("p", 3, "true")});
  };
  EXPECT_THAT(plan_tree(make(), make()), IsEmpty());
  EXPECT_TRUE(plan(make(), make()).empty());
  EXPECT_FALSE(plan(make(), make()).level_changed);
}

TEST(TreePlan, SaysWhatIsDoneInTheOrderItIsDone) {
  auto now = tree({process("old"), process("web"), process("db"), process("older", {"true"})});
  auto wanted = tree({process("new"), process("web", {"sleep", "8"}), process("db")});
  wanted.children[2].policy.restart_limit->max_restarts = 10;
  wanted.strategy = Strategy::rest_for_one;
  const auto result = plan(now, wanted);
  EXPECT_THAT(result.removed, ElementsAre("older", "old"));
  EXPECT_THAT(result.restarted, ElementsAre("web"));
  EXPECT_THAT(result.changed, ElementsAre("db"));
  EXPECT_THAT(result.added, ElementsAre("new"));
  EXPECT_TRUE(result.level_changed);
  EXPECT_THAT(result.lines, ElementsAre("stop and remove /older", "stop and remove /old",
                                        "restart /web: command changed",
                                        "change /db in place: restart limit 5 -> 10", "start /new",
                                        "change / in place: strategy OneForOne -> RestForOne"));
}

TEST(TreePlan, KeepsChildrenAddedAtRunTime) {
  const auto now = tree({process("a"), process("guest")});
  EXPECT_TRUE(plan(now, tree({process("a")}), {"guest"}).empty());
  EXPECT_THAT(plan(now, tree({process("a")})).removed, ElementsAre("guest"));
}

TEST(TreePlan, StartsInOrderOfDependenciesAndWithAllBelow) {
  auto web = process("web");
  web.dependencies = {"data"};
  EXPECT_THAT(plan_tree(tree({}), tree({web, nested("data", {process("db")}), pool("p", 1, "true"),
                                        pool("q", 2, "true")})),
              ElementsAre("start /data", "start /data/db", "start /web", "start /p with 1 child",
                          "start /q with 2 children"));
}

TEST(TreePlan, GoesIntoSupervisorsThatStay) {
  EXPECT_THAT(plan_tree(tree({nested("n", {process("a")})}),
                        tree({nested("n", {process("a", {"true"}), nested("m", {})})})),
              ElementsAre("restart /n/a: command changed", "start /n/m"));
  EXPECT_TRUE(plan(tree({nested("n", {process("a")})}), tree({nested("n", {})})).empty());
}

TEST(TreePlan, RestartsASupervisorOnlyWhenItBecomesSomethingElse) {
  EXPECT_THAT(plan_tree(tree({nested("n", {})}), tree({process("n")})),
              ElementsAre("restart /n: kind supervisor -> process"));
}

TEST(TreePlan, ResizesAPoolInPlace) {
  EXPECT_THAT(plan_tree(tree({pool("p", 2, "true")}), tree({pool("p", 4, "true")})),
              ElementsAre("change /p in place: size 2 -> 4"));
  EXPECT_THAT(plan_tree(tree({pool("p", 2, "true")}), tree({pool("p", 4, "false")})),
              ElementsAre("restart /p: template changed, size 2 -> 4"));
}

struct Change {
  const char* line = "";
  void (*make)(ChildSpec&) = nullptr;
};

void edit_process(ChildSpec& child, void (*edit)(ProcessSpec&)) {
  auto spec = *child.process;
  edit(spec);
  child.process = std::make_shared<const ProcessSpec>(std::move(spec));
}

// One of each field: what it is says "restart", how it is treated says "change".
const Change changes[] = {
    {"restart /a: kind process -> blocking", [](auto& c) { c.kind = ChildKind::blocking; }},
    {"restart /a: factory none -> f", [](auto& c) { c.factory = "f"; }},
    {"restart /a: params changed", [](auto& c) { c.params["k"] = "v"; }},
    {"restart /a: isolated in a process now", [](auto& c) { c.isolation = Isolation::process; }},
    {"restart /a: environment changed",
     [](auto& c) { edit_process(c, [](auto& p) { p.environment["K"] = "v"; }); }},
    {"restart /a: cwd none -> /tmp",
     [](auto& c) { edit_process(c, [](auto& p) { p.cwd = "/tmp"; }); }},
    {"restart /a: user none -> nobody",
     [](auto& c) { edit_process(c, [](auto& p) { p.user = "nobody"; }); }},
    {"restart /a: resource limits changed",
     [](auto& c) { edit_process(c, [](auto& p) { p.resource_limits.cpu_seconds = 1; }); }},
    {"restart /a: process settings changed", [](auto& c) { c.process = {}; }},
    {"change /a in place: restart permanent -> transient",
     [](auto& c) { c.policy.restart = RestartType::transient; }},
    {"change /a in place: restart limit 5 in 60 s -> unlimited",
     [](auto& c) { c.policy.restart_limit.reset(); }},
    {"change /a in place: restart limit 5 in 60 s -> 5 in 1 s",
     [](auto& c) { c.policy.restart_limit->window = std::chrono::seconds{1}; }},
    {"change /a in place: back-off changed", [](auto& c) { c.policy.backoff.max *= 2; }},
    {"change /a in place: watchdog none -> 3 s, heartbeat interval none -> 1 s",
     [](auto& c) { c.policy.watchdog = std::chrono::seconds{3}; }},
    {"change /a in place: run time-out none -> 3 s",
     [](auto& c) { c.policy.run_timeout = std::chrono::seconds{3}; }},
    {"change /a in place: severity standard -> optional",
     [](auto& c) { c.policy.severity = SeverityClass::optional; }},
    {"change /a in place: restart budget changed",
     [](auto& c) { c.policy.budget = RestartBudget{}; }},
    {"change /a in place: health check added",
     [](auto& c) { c.policy.health_check = std::make_shared<const ProbeSpec>(); }},
    {"change /a in place: dependencies changed", [](auto& c) { c.dependencies = {"b"}; }},
    {"change /a in place: group none -> g", [](auto& c) { c.group = "g"; }},
    {"change /a in place: tags changed", [](auto& c) { c.tags = {"t"}; }},
    {"change /a in place: strategy override none -> OneForAll",
     [](auto& c) { c.strategy_override = Strategy::one_for_all; }},
    {"change /a in place: role none -> job", [](auto& c) { c.role = WorkRole::job; }},
    {"change /a in place: sidecar changed",
     [](auto& c) {
       c.sidecar = Sidecar{"b", false};
     }},
    {"change /a in place: gates changed", [](auto& c) { c.gates.emplace_back(); }},
    {"change /a in place: significant no -> yes", [](auto& c) { c.significant = true; }},
    {"change /a in place: can suspend no -> yes", [](auto& c) { c.can_suspend = true; }},
    {"change /a in place: permissions changed", [](auto& c) { c.permissions.restart = true; }},
};

TEST(TreePlan, KnowsEachFieldOfAChild) {
  for (const auto& change : changes) {
    auto wanted = tree({process("a"), process("b")});
    change.make(wanted.children[0]);
    EXPECT_THAT(plan_tree(tree({process("a"), process("b")}), wanted), ElementsAre(change.line));
  }
}

TEST(TreePlan, ComparesProbesByWhatTheySay) {
  auto now = tree({process("a")});
  auto wanted = tree({process("a")});
  now.children[0].policy.health_check = std::make_shared<const ProbeSpec>();
  wanted.children[0].policy.health_check = std::make_shared<const ProbeSpec>();
  EXPECT_THAT(plan_tree(now, wanted), IsEmpty());
}

TEST(TreePlan, KnowsEachSettingOfASupervisor) {
  auto wanted = tree({});
  wanted.restart_limit->max_restarts = 3;
  wanted.escalation = EscalationPolicy::quarantine_scope;
  wanted.auto_shutdown = AutoShutdown::any_significant;
  wanted.restart_dependents_only = true;
  wanted.dynamic = {false, 9};
  wanted.groups.emplace_back();
  wanted.admission = AdmissionSpec{};
  wanted.config_version = "2";
  wanted.shutdown.order = ShutdownOrder::parallel;
  wanted.budget = RestartBudget{};
  wanted.start_failure = StartFailure::restart;
  EXPECT_THAT(
      plan_tree(tree({}), wanted),
      ElementsAre("change / in place: start failure changed, restart limit 10 -> 3, escalation "
                  "policy escalate_to_parent -> quarantine_scope, restart budget changed, auto "
                  "shutdown never -> any_significant, restart dependents only no -> yes, dynamic "
                  "children yes -> no, child limit none -> 9, groups changed, admission changed, "
                  "config version none -> 2, shutdown changed"));
}

}  // namespace
}  // namespace espalier::supervisor
