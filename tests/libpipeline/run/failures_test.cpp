#include "espalier/pipeline/run/internal/failures.hpp"

#include "espalier/pipeline/run/internal/work_context.hpp"
#include "libpipeline/run/pipes.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace espalier::pipeline::internal {
namespace {

class ThrowingKernel final : public Kernel {
 public:
  bool run(std::span<Item>, RunContext&) override { throw std::out_of_range("too far"); }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_ = {"first", "second"};
};

class FailuresTest : public ::testing::Test {
 protected:
  FailuresTest() {
    node_.name = "parse";
    node_.kernel = std::make_shared<ThrowingKernel>();
    chunk_.items = pipeline::testing::items(3);
    chunk_.items[1].task = 1;
    chunk_.items[1].attempt = 2;
  }
  NodePlan node_;
  Chunk chunk_;
};

TEST_F(FailuresTest, AKernelThatThrowsAgainstItsContractFailsItsItems) {
  WorkTables tables{.statuses = {}, .wants_tasks = [] { return false; }, .tell = {}};
  WorkContext context(tables);
  Work work;
  work.chunk = &chunk_;
  run_kernel(node_, work, context);
  for (const auto& item : chunk_.items) {
    ASSERT_EQ(item.verdict, Verdict::fail);
    EXPECT_EQ(item.failure->message, "too far");
    EXPECT_EQ(item.failure->type, "std::out_of_range");
    EXPECT_EQ(item.failure->stage, "parse");
    EXPECT_THROW(std::rethrow_exception(item.failure->error), std::out_of_range);
  }
  EXPECT_EQ(chunk_.items[0].failure->task, "first");
  EXPECT_EQ(chunk_.items[1].failure->task, "second");
  EXPECT_EQ(chunk_.items[1].failure->attempts, 3U);
}

TEST_F(FailuresTest, OnlyTheItemThatEndedItsThreadFails) {
  fail_after_thread_end(node_, chunk_, &chunk_.items[1]);
  EXPECT_EQ(chunk_.items[0].verdict, Verdict::pass);
  EXPECT_EQ(chunk_.items[1].verdict, Verdict::fail);
  EXPECT_EQ(chunk_.items[2].verdict, Verdict::again);
  EXPECT_EQ(chunk_.items[2].failure->retry_after, Duration{});
}

TEST_F(FailuresTest, AllFailWhenTheKernelDidNotSayWhereItWas) {
  fail_after_thread_end(node_, chunk_, nullptr);
  for (const auto& item : chunk_.items)
    EXPECT_EQ(item.verdict, Verdict::fail);
}

}  // namespace
}  // namespace espalier::pipeline::internal
