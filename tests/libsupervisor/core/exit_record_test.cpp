#include "espalier/supervisor/core/exit_record.hpp"

#include "espalier/supervisor/core/shutdown_report.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

TEST(ExitRecord, IsDescribedByWhatIsKnownOfIt) {
  using enum ExitKind;
  using Category = FailureCategory;
  EXPECT_EQ(describe({}), "completed");
  EXPECT_EQ(describe({.kind = completed, .code = 3}), "completed, exit code 3");
  EXPECT_EQ(describe({.kind = failed, .category = Category::recoverable, .code = 1}),
            "exit code 1 (recoverable)");
  EXPECT_EQ(describe({.kind = failed, .category = Category::fatal_config, .message = "no port"}),
            "failed (fatal_config): no port");
  EXPECT_EQ(describe({.kind = failed, .code = 2, .message = "m"}), "exit code 2: m");
  EXPECT_EQ(describe({.kind = panicked, .category = Category::panic, .message = "no such table"}),
            "panicked: no such table");
  EXPECT_EQ(describe({.kind = signalled, .signal = 9}), "signal 9 (SIGKILL)");
  EXPECT_EQ(describe({.kind = signalled, .signal = 11, .core_dumped = true}),
            "signal 11 (SIGSEGV), core dumped");
  EXPECT_EQ(describe({.kind = signalled, .signal = 40}), "signal 40") << "real-time: no name";
  EXPECT_EQ(
      describe({.kind = timed_out, .category = Category::timeout, .message = "not ready in 2 s"}),
      "timed out: not ready in 2 s");
  EXPECT_EQ(describe({.kind = unhealthy, .message = "no sign of life"}),
            "unhealthy: no sign of life");
  EXPECT_EQ(describe({.kind = stopped, .signal = 15}), "stopped, signal 15 (SIGTERM)");
  EXPECT_EQ(describe({.kind = aborted, .signal = 9}), "aborted, signal 9 (SIGKILL)");
}

TEST(ExitRecord, WordsAreThoseOfTheContract) {
  EXPECT_STREQ(to_string(ExitKind::timed_out), "timed_out");
  EXPECT_STREQ(to_string(ExitKind::aborted), "aborted");
  EXPECT_STREQ(to_string(FailureCategory::external_dependency), "external_dependency");
  EXPECT_STREQ(to_string(FailureCategory::cancelled), "cancelled");
  EXPECT_STREQ(to_string(ChildShutdownOutcome::abort_failed), "abort_failed");
}

TEST(ShutdownReport, CountsOutcomesAndIsCleanWhenNothingWasFound) {
  ShutdownReport report;
  report.children = {{.path = "/a", .outcome = ChildShutdownOutcome::graceful},
                     {.path = "/b", .outcome = ChildShutdownOutcome::aborted},
                     {.path = "/c", .outcome = ChildShutdownOutcome::graceful}};
  EXPECT_EQ(report.count(ChildShutdownOutcome::graceful), 2u);
  EXPECT_EQ(report.count(ChildShutdownOutcome::late_report), 0u);
  report.reconcile.checks = {{.what = "actors", .checked = 3}};
  EXPECT_TRUE(report.reconcile.clean());
  report.reconcile.checks.push_back({.what = "threads", .checked = 1, .found = {"/c"}});
  EXPECT_FALSE(report.reconcile.clean());
}

}  // namespace
}  // namespace espalier::supervisor
