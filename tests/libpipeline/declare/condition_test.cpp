#include "espalier/pipeline/declare/internal/condition.hpp"

#include <gtest/gtest.h>

namespace espalier::pipeline::internal {
namespace {

bool holds(ConditionSpec spec, const char* item) {
  return Condition(spec).holds_for(Json::parse(item));
}

TEST(Condition, WithoutAComparisonAsksWhetherTheFieldIsThere) {
  EXPECT_TRUE(holds({.field = "a"}, R"({"a": null})"));
  EXPECT_FALSE(holds({.field = "a"}, R"({"b": 1})"));
  EXPECT_FALSE(holds({.field = "a"}, "[1]"));
  EXPECT_TRUE(holds({.field = "a", .negate = true}, "{}"));
}

TEST(Condition, ComparesNumbersTextsAndTruth) {
  EXPECT_TRUE(holds({.field = "a", .one_of = {"1"}}, R"({"a": 1.0})"));
  EXPECT_FALSE(holds({.field = "a", .one_of = {"1"}}, R"({"a": "1"})"));
  EXPECT_TRUE(holds({.field = "a", .one_of = {"2", "\"x\""}}, R"({"a": "x"})"));
  EXPECT_FALSE(holds({.field = "a", .one_of = {"true"}}, R"({"a": 1})"));
}

TEST(Condition, BoundsAreOutsideAndForNumbersOnly) {
  const ConditionSpec between{.field = "n", .above = 1, .below = 3};
  EXPECT_TRUE(holds(between, R"({"n": 2})"));
  EXPECT_FALSE(holds(between, R"({"n": 1})"));
  EXPECT_FALSE(holds(between, R"({"n": 3})"));
  EXPECT_FALSE(holds(between, R"({"n": "2"})"));
  EXPECT_FALSE(holds(between, "{}"));
}

}  // namespace
}  // namespace espalier::pipeline::internal
