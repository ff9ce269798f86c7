#include "espalier/supervisor/core/work_role.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

TEST(WorkRoles, EachHasItsPack) {
  struct Row {
    WorkRole role = WorkRole::service;
    RestartType restart = RestartType::permanent;
    std::uint32_t restarts = 0;
    FatalAction on_timeout = FatalAction::restart;
    SeverityClass severity = SeverityClass::standard;
  };
  const Row rows[] = {
      {WorkRole::service, RestartType::permanent, 10, FatalAction::restart,
       SeverityClass::critical},
      {WorkRole::worker, RestartType::transient, 3, FatalAction::restart, SeverityClass::standard},
      {WorkRole::job, RestartType::transient, 1, FatalAction::escalate, SeverityClass::optional},
      {WorkRole::sidecar, RestartType::permanent, 5, FatalAction::restart, SeverityClass::standard},
      {WorkRole::supervisor, RestartType::permanent, 3, FatalAction::restart,
       SeverityClass::critical}};
  for (const auto& row : rows) {
    const auto policy = policy_for(row.role);
    EXPECT_EQ(policy.restart, row.restart) << to_string(row.role);
    EXPECT_EQ(policy.restart_limit, (RestartLimit{row.restarts, 60s})) << to_string(row.role);
    EXPECT_EQ(policy.on_timeout, row.on_timeout) << to_string(row.role);
    EXPECT_EQ(policy.severity, row.severity) << to_string(row.role);
    EXPECT_EQ(policy.on_exhausted, OnExhausted::escalate) << to_string(row.role);
    EXPECT_EQ(policy.backoff, (Backoff{50ms, 5s, Jitter::full, 30s})) << to_string(row.role);
  }
}

TEST(WorkRoles, LeaveTheRestOfAPolicyAlone) {
  ChildPolicy policy;
  policy.watchdog = 7s;
  policy.backoff.reset_after = 9s;
  policy.stop.grace = 3s;
  apply_role(WorkRole::job, policy);
  EXPECT_EQ(policy.watchdog, 7s);
  EXPECT_EQ(policy.backoff.reset_after, 9s);
  EXPECT_EQ(policy.stop.grace, 3s);
}

TEST(WorkRoles, WarnOfAJobThatNeverEnds) {
  ChildSpec child;
  child.policy.restart = RestartType::permanent;
  EXPECT_EQ(role_warning(child), "");
  child.role = WorkRole::service;
  EXPECT_EQ(role_warning(child), "");
  child.role = WorkRole::job;
  EXPECT_NE(role_warning(child).find("a job is done once it completes"), std::string::npos);
  child.policy.restart = RestartType::transient;
  EXPECT_EQ(role_warning(child), "");
}

}  // namespace
}  // namespace espalier::supervisor
