#include "libpipeline/core/support/script_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace espalier::pipeline::testing {
namespace {

using ::testing::HasSubstr;

/// The messages of all problems, one a line, each after its stage.
std::string problems(const Plan& plan) {
  std::string all;
  for (const auto& error : check(plan))
    all += error.stage + ": " + error.message + "\n";
  return all;
}

TEST(PlanCheck, FindsNothingInALine) {
  EXPECT_EQ(problems(line(3)), "");
}

TEST(PlanCheck, APipelineNeedsAStage) {
  EXPECT_THAT(problems({}), HasSubstr("no stage"));
}

TEST(PlanCheck, NamesMustBeThereAndDiffer) {
  auto plan = line(3);
  plan.nodes[1].name = "a";
  plan.nodes[2].name = "";
  EXPECT_THAT(problems(plan), HasSubstr("a: two stages have this name"));
  EXPECT_THAT(problems(plan), HasSubstr("has no name"));
}

TEST(PlanCheck, EndsMustNotDangle) {
  auto plan = line(2);
  plan.nodes[0].next = {};
  plan.nodes[1].next = {7};
  EXPECT_THAT(problems(plan), HasSubstr("a: leads nowhere"));
  EXPECT_THAT(problems(plan), HasSubstr("b: leads to a stage that does not exist"));
}

TEST(PlanCheck, ACycleIsNamedByItsStages) {
  auto plan = line(3);
  plan.nodes[2].next = {1};
  const auto text = problems(plan);
  EXPECT_THAT(text, HasSubstr("b: is part of a cycle"));
  EXPECT_THAT(text, HasSubstr("c: is part of a cycle"));
  EXPECT_EQ(text.find("a: is part"), std::string::npos);
}

TEST(PlanCheck, NumbersMustMakeSense) {
  auto plan = line(1);
  auto& o = plan.nodes[0].options;
  o.workers = 0;
  o.retry.attempts = 0;
  o.rate.per_second = std::numeric_limits<double>::quiet_NaN();
  o.breaker = BreakerOptions{.threshold = 1.5, .window = 0};
  o.adaptive = AdaptiveOptions{.min = 4, .max = 2};
  const auto text = problems(plan);
  for (const auto* part : {"no workers", "attempts is 0", "rate is below zero", "threshold",
                           "window must be at least 1", "min is above max"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(PlanCheck, CombiningNeedsALimit) {
  auto plan = line(2);
  plan.nodes[0].kind = NodeKind::batch;
  plan.nodes[1].kind = NodeKind::window;
  EXPECT_THAT(problems(plan), HasSubstr("a: its batches have no limit"));
  EXPECT_THAT(problems(plan), HasSubstr("b: its windows have the size 0"));
  plan.nodes[0].batch.bytes = 5;
  EXPECT_THAT(problems(plan), HasSubstr("gives the size"));
}

TEST(PlanCheck, OrderNeedsItemsThatKeepTheirPlace) {
  auto plan = line(3);
  plan.nodes[0].one_to_one = false;
  plan.nodes[2].options.order = Order::input;
  EXPECT_THAT(problems(plan), HasSubstr("c: cannot be in input order behind 'a'"));
  plan.nodes[2].options.order = Order::by_key;
  EXPECT_THAT(problems(plan), HasSubstr("c: is ordered by key, but"));
  plan.options.output_order = Order::input;
  EXPECT_THAT(problems(plan), HasSubstr("a: multiplies or combines"));
  plan.options.output_order = Order::by_key;
  EXPECT_THAT(problems(plan), HasSubstr("results cannot be ordered by key"));
}

TEST(PlanCheck, ABatchTakesItemsAsTheyCome) {
  auto plan = line(1);
  plan.nodes[0].kind = NodeKind::batch;
  plan.nodes[0].batch.count = 2;
  plan.nodes[0].options.order = Order::by_key;
  plan.nodes[0].key = [](const Value&) { return std::uint64_t{0}; };
  EXPECT_THAT(problems(plan), HasSubstr("order the stage before it"));
}

TEST(PlanCheck, StagesThatShareARateGiveItTheSameNumbers) {
  auto plan = line(2, {.rate = {.per_second = 2, .burst = 1, .shared_as = "api"}});
  EXPECT_TRUE(check(plan).empty());
  plan.nodes[1].options.rate.per_second = 3;
  const auto found = check(plan);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].stage, "b");
  EXPECT_EQ(found[0].message,
            "shares the rate 'api' with 'a', but not its numbers; write the same for both");
}

TEST(PlanDot, DrawsStagesAndEdges) {
  auto plan = line(2, {.workers = 2});
  plan.options.name = "a \"b\"";
  plan.nodes[0].next = {1, output_node};
  EXPECT_EQ(to_dot(plan),
            "digraph \"a \\\"b\\\"\" {\n"
            "  rankdir=LR;\n"
            "  n0 [shape=box, label=\"a\\n2 workers\"];\n"
            "  n1 [shape=box, label=\"b\\n2 workers\"];\n"
            "  output [shape=circle, label=\"\"];\n"
            "  n0 -> n1 [label=\"0\"];\n"
            "  n0 -> output [label=\"1\"];\n"
            "  n1 -> output;\n"
            "}\n");
}

}  // namespace
}  // namespace espalier::pipeline::testing
