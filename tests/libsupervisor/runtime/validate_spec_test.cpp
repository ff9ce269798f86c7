#include "espalier/supervisor/runtime/validate_spec.hpp"

#include "espalier/supervisor/actor/actor_factory.hpp"

#include <caf/all.hpp>
#include <gmock/gmock.h>

namespace espalier::supervisor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ValidateSpec : public ::testing::Test {
 protected:
  ValidateSpec() {
    factories_.add_blocking("ingest", [](ChildContext&) {});
    add_actor(factories_, "serve", [](caf::event_based_actor*, std::shared_ptr<ChildContext>) {
      return caf::behavior{};
    });
  }
  [[nodiscard]] std::string problem(std::vector<ChildSpec> children) const {
    return problem_of({.children = std::move(children)}, factories_);
  }
  static ChildSpec blocking(const std::string& name) {
    return {.name = name, .kind = ChildKind::blocking, .factory = "ingest"};
  }
  static ChildSpec process(std::vector<std::string> command) {
    ChildSpec result{.name = "p", .kind = ChildKind::process};
    result.process = std::make_shared<ProcessSpec>(ProcessSpec{.command = std::move(command)});
    return result;
  }

  ChildFactories factories_;
};

TEST_F(ValidateSpec, AcceptsEveryKind) {
  ChildSpec nested{.name = "n", .kind = ChildKind::supervisor};
  nested.supervisor = std::make_shared<SupervisorSpec>(SupervisorSpec{.children = {blocking("x")}});
  EXPECT_THAT(
      problem({blocking("a"), {.name = "b", .factory = "serve"}, process({"true"}), nested}),
      IsEmpty());
}

TEST_F(ValidateSpec, NamesTheChildByItsPathAtAnyDepth) {
  auto bad = blocking("x");
  bad.factory = "ingset";
  ChildSpec nested{.name = "n", .kind = ChildKind::supervisor};
  nested.supervisor = std::make_shared<SupervisorSpec>(SupervisorSpec{.children = {bad}});
  const auto text = problem({nested});
  EXPECT_THAT(text, StartsWith("/n/x: "));
  EXPECT_THAT(text, HasSubstr("unknown factory 'ingset'"));
  EXPECT_THAT(text, HasSubstr("ingest, serve"));
}

TEST_F(ValidateSpec, RefusesBadNamesAndTwins) {
  EXPECT_THAT(problem({blocking("a b")}), HasSubstr("'a b'"));
  EXPECT_THAT(problem({blocking("a"), blocking("a")}), StartsWith("/a: two siblings"));
}

TEST_F(ValidateSpec, RefusesAKindWithoutItsPayload) {
  EXPECT_THAT(problem({{.name = "p", .kind = ChildKind::process}}),
              StartsWith("/p: has no command"));
  EXPECT_THAT(problem({process({})}), StartsWith("/p: has no command"));
  EXPECT_THAT(problem({process({""})}), HasSubstr("empty program name"));
  EXPECT_THAT(problem({{.name = "s", .kind = ChildKind::supervisor}}),
              StartsWith("/s: has no supervisor spec"));
  EXPECT_THAT(problem({{.name = "a"}}), StartsWith("/a: names no factory"));
}

TEST_F(ValidateSpec, RefusesAPayloadOfAnotherKind) {
  auto mixed = blocking("a");
  mixed.process = std::make_shared<ProcessSpec>();
  EXPECT_THAT(problem({mixed}), StartsWith("/a: has a process but"));
  EXPECT_THAT(problem({{.name = "b", .factory = "ingest"}}), HasSubstr("set kind to blocking"));
}

TEST_F(ValidateSpec, RefusesACycle) {
  auto a = blocking("a");
  auto b = blocking("b");
  a.dependencies = {"b"};
  b.dependencies = {"a"};
  EXPECT_THAT(problem({a, b}), StartsWith("/: "));
}

TEST_F(ValidateSpec, RefusesWhatContradictsItself) {
  const auto with = [&](void (*change)(ChildSpec&)) {
    auto child = blocking("a");
    change(child);
    return problem({child});
  };
  EXPECT_EQ(with([](auto& c) { c.group = "g"; }),
            "/a: group: no group is named 'g'; declare it under groups of the supervisor");
  EXPECT_THAT(with([](auto& c) { c.significant = true; }), StartsWith("/a: significant: its end"));
  EXPECT_THAT(with([](auto& c) { c.role = WorkRole::sidecar; }), StartsWith("/a: role: a sidecar"));
  EXPECT_EQ(with([](auto& c) {
              c.sidecar = Sidecar{"b", false};
            }),
            "/a: sidecar.primary: no sibling is named 'b'; a sidecar accompanies a sibling");
  EXPECT_THAT(with([](auto& c) { c.can_suspend = true; }), StartsWith("/a: can_suspend: only a"));
  EXPECT_THAT(with([](auto& c) { c.gates.emplace_back(); }), StartsWith("/a: gates[0]: a gate"));
  EXPECT_THAT(with([](auto& c) { c.policy.readiness = Readiness::probe; }),
              StartsWith("/a: readiness.mode: readiness by probe needs one"));
  EXPECT_THAT(with([](auto& c) { c.policy.backoff.max = Duration{1}; }),
              StartsWith("/a: backoff.initial: the initial delay"));
  EXPECT_THAT(with([](auto& c) {
                c.policy.budget = RestartBudget{0, 1};
              }),
              StartsWith("/a: child_restart_budget.max_burst:"));
  EXPECT_THAT(with([](auto& c) {
                c.policy.watchdog = Duration{1};
                c.policy.heartbeat_interval = Duration{2};
              }),
              StartsWith("/a: heartbeat.stale_after: a heartbeat every"));
}

TEST_F(ValidateSpec, KnowsTheProbeFunctions) {
  auto child = blocking("a");
  child.policy.health_check = std::make_shared<const ProbeSpec>(
      ProbeSpec{.kind = ProbeSpec::Kind::function, .function = "well"});
  EXPECT_EQ(problem({child}),
            "/a: health_check.function: no probe function is named 'well'; none is registered");
  factories_.add_probe("well", [](const std::string&) { return true; });
  EXPECT_EQ(problem({child}), "");
}

TEST_F(ValidateSpec, IsolatesOnlyFunctions) {
  auto child = blocking("a");
  child.isolation = Isolation::process;
  child.process = std::make_shared<const ProcessSpec>();
  EXPECT_EQ(problem({child}), "");
  child.kind = ChildKind::actor;
  child.factory = "serve";
  EXPECT_THAT(problem({child}), StartsWith("/a: isolation: only blocking children"));
}

TEST_F(ValidateSpec, LooksIntoPools) {
  ChildSpec pool{.name = "p", .kind = ChildKind::pool};
  EXPECT_EQ(problem({pool}), "/p: has no pool spec; give it one");
  PoolSpec spec{.child = blocking("x"), .size = 9, .max = 4};
  pool.pool = std::make_shared<const PoolSpec>(spec);
  EXPECT_THAT(problem({pool}), StartsWith("/p: pool.size: size 9 is outside min 0 to max 4"));
  spec.size = 1;
  spec.child.factory = "gone";
  pool.pool = std::make_shared<const PoolSpec>(spec);
  EXPECT_THAT(problem({pool}), StartsWith("/p (template): unknown factory 'gone'"));
}

TEST_F(ValidateSpec, LooksAtGroupsAndTheWholeLevel) {
  SupervisorSpec spec{.children = {blocking("a")}};
  spec.groups = {{.name = "g", .depends_on = {{"h"}}}, {.name = "h", .depends_on = {{"g"}}}};
  EXPECT_EQ(problem_of(spec, factories_),
            "/: groups: groups depend on each other in a circle: g -> h -> g; take one of these "
            "dependencies away");
  spec.groups = {};
  spec.dynamic.child_limit = 0;
  EXPECT_THAT(problem_of(spec, factories_), StartsWith("/: dynamic.child_limit: a limit of 0"));
  spec.dynamic.child_limit.reset();
  spec.admission = AdmissionSpec{};
  EXPECT_EQ(problem_of(spec, factories_), "");
  ChildSpec nested{.name = "n", .kind = ChildKind::supervisor};
  nested.supervisor = std::make_shared<const SupervisorSpec>(spec);
  EXPECT_EQ(problem({nested}), "/n: admission: holds for a whole tree; move it to the root");
}

TEST(ChildFactories, RefusesASecondFactoryOfOneName) {
  ChildFactories factories;
  factories.add_blocking("x", [](ChildContext&) {});
  EXPECT_THROW(factories.add_blocking("x", [](ChildContext&) {}), std::invalid_argument);
  EXPECT_THROW(add_actor(factories, "x", {}), std::invalid_argument);
}

}  // namespace
}  // namespace espalier::supervisor
