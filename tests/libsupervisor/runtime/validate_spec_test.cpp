#include "espalier/supervisor/runtime/validate_spec.hpp"

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
    factories_.add_actor("serve", [](caf::event_based_actor*, std::shared_ptr<ChildContext>) {
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

TEST(ChildFactories, RefusesASecondFactoryOfOneName) {
  ChildFactories factories;
  factories.add_blocking("x", [](ChildContext&) {});
  EXPECT_THROW(factories.add_blocking("x", [](ChildContext&) {}), std::invalid_argument);
  EXPECT_THROW(factories.add_actor("x", {}), std::invalid_argument);
}

}  // namespace
}  // namespace espalier::supervisor
