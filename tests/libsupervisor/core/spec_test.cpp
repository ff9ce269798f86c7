#include "espalier/supervisor/core/spec.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

ChildSpec child(std::string name, std::vector<std::string> dependencies = {}) {
  ChildSpec spec;
  spec.name = std::move(name);
  spec.dependencies = std::move(dependencies);
  return spec;
}

std::string order_of(std::vector<ChildSpec> children) {
  SupervisorSpec spec;
  spec.children = std::move(children);
  const auto result = start_order(spec);
  if (!result.problem.empty()) return result.problem;
  std::string names;
  for (const auto i : result.order)
    names += spec.children[i].name;
  return names;
}

TEST(StartOrder, IsDeclarationOrderWhereDependenciesAllowIt) {
  EXPECT_EQ(order_of({child("c"), child("a"), child("b")}), "cab");
  EXPECT_EQ(order_of({child("c"), child("a", {"c"}), child("b", {"c", "a"})}), "cab");
}

TEST(StartOrder, MovesAChildBehindWhatItDependsOn) {
  EXPECT_EQ(order_of({child("a", {"d"}), child("b"), child("c"), child("d")}), "bcda");
}

TEST(StartOrder, NamesTheCycle) {
  EXPECT_EQ(order_of({child("x"), child("a", {"c"}), child("b", {"a"}), child("c", {"b"})}),
            "dependency cycle: a -> c -> b -> a");
  EXPECT_EQ(order_of({child("a", {"a"})}), "dependency cycle: a -> a");
  // d only hangs on the cycle; it is not part of it.
  EXPECT_EQ(order_of({child("d", {"a"}), child("a", {"b"}), child("b", {"a"})}),
            "dependency cycle: a -> b -> a");
}

TEST(StartOrder, NamesAnUnknownDependency) {
  EXPECT_EQ(order_of({child("a", {"ghost"})}), "\"a\" depends on \"ghost\", which is no sibling");
}

TEST(Names, LettersFirstThenDigitsDotsAndDashes) {
  for (const auto* good : {"a", "_", "A9", "db.main", "w-1"})
    EXPECT_TRUE(is_valid_name(good));
  for (const auto* bad : {"", "9a", "-a", "a b", "a/b", "ä"})
    EXPECT_FALSE(is_valid_name(bad));
}

TEST(Paths, RootHasNoDoubleSlash) {
  EXPECT_EQ(join_path("/", "db"), "/db");
  EXPECT_EQ(join_path("/db", "x"), "/db/x");
}

}  // namespace
}  // namespace espalier::supervisor
