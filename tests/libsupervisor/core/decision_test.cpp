#include "espalier/supervisor/core/decision.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using enum Verdict;

constexpr RestartType permanent = RestartType::permanent;
constexpr RestartType transient = RestartType::transient;

ExitRecord code_1() {
  return {.kind = ExitKind::failed, .category = FailureCategory::recoverable, .code = 1};
}

RestartDecision decide(RestartType type, ExitRecord exit, Verdict verdict, Rule rule,
                       std::vector<RuleCheck> checks = {}) {
  return {.exit = std::move(exit),
          .restart = type,
          .verdict = verdict,
          .deciding_rule = rule,
          .delay = verdict == restart_after ? Duration{1600ms} : Duration{},
          .checks = std::move(checks)};
}

RuleCheck check(Rule rule, std::uint64_t count, std::uint64_t limit, Duration window,
                bool decided = false) {
  return {.rule = rule, .decided = decided, .count = count, .limit = limit, .window = window};
}

TEST(Explain, ARestartNamesDelayAndWhatItUsedUp) {
  const auto limits =
      std::vector{check(Rule::child_limit, 2, 5, 60s), check(Rule::supervisor_limit, 3, 10, 60s)};
  EXPECT_EQ(explain("/db", decide(transient, code_1(), restart_after, Rule::backoff, limits)),
            "/db: transient, exit code 1 (recoverable) -> restart in 1.6 s; "
            "3 of 10 restarts used in 60 s; child fuse clear");
  EXPECT_EQ(explain("/db", decide(permanent, {}, restart_now, Rule::backoff)),
            "/db: permanent, completed -> restart now");
  EXPECT_EQ(explain("/db", decide(permanent, {}, restart_now, Rule::backoff,
                                  {check(Rule::supervisor_limit, 1, 1, 10s)})),
            "/db: permanent, completed -> restart now; 1 of 1 restart used in 10 s");
}

TEST(Explain, AFailureWithoutItsDependencyIsSaidNotToCount) {
  EXPECT_EQ(explain("/web", decide(permanent, code_1(), restart_after, Rule::backoff,
                                   {check(Rule::dependency_ready, 0, 0, 0s, true)})),
            "/web: permanent, exit code 1 (recoverable) -> restart in 1.6 s; "
            "not counted, as a dependency is not ready");
  EXPECT_EQ(explain("/web", decide(permanent, code_1(), restart_after, Rule::backoff,
                                   {check(Rule::dependency_ready, 0, 0, 0s, false)})),
            "/web: permanent, exit code 1 (recoverable) -> restart in 1.6 s");
}

TEST(Explain, LeftStoppedByRestartType) {
  EXPECT_EQ(
      explain("/job", decide(RestartType::temporary, code_1(), leave_stopped, Rule::restart_type)),
      "/job: temporary, exit code 1 (recoverable) -> leave stopped: temporary children are "
      "never restarted");
  EXPECT_EQ(explain("/job", decide(transient, {}, leave_stopped, Rule::restart_type)),
            "/job: transient, completed -> leave stopped: transient, and it completed");
  EXPECT_EQ(explain("/job", decide(transient, {.kind = ExitKind::stopped}, leave_stopped,
                                   Rule::restart_type)),
            "/job: transient, stopped -> leave stopped: transient, and it was asked to stop");
}

TEST(Explain, LimitsNameTheRestartThatWasTooMany) {
  const auto child = std::vector{check(Rule::child_limit, 6, 5, 60s, true)};
  EXPECT_EQ(explain("/db", decide(permanent, code_1(), quarantine, Rule::child_limit, child)),
            "/db: permanent, exit code 1 (recoverable) -> quarantine: 6th restart within 60 s, "
            "limit 5");
  EXPECT_EQ(explain("/db", decide(permanent, code_1(), leave_stopped, Rule::child_limit, child)),
            "/db: permanent, exit code 1 (recoverable) -> leave stopped: 6th restart within 60 s, "
            "limit 5");
  EXPECT_EQ(explain("/db", decide(permanent, code_1(), escalate, Rule::child_limit, child)),
            "/db: permanent, exit code 1 (recoverable) -> escalate: 6th restart within 60 s, "
            "limit 5");
  EXPECT_EQ(explain("/db", decide(permanent, code_1(), escalate, Rule::supervisor_limit,
                                  {check(Rule::child_limit, 1, 5, 60s),
                                   check(Rule::supervisor_limit, 4, 3, 10s, true)})),
            "/db: permanent, exit code 1 (recoverable) -> escalate: supervisor limit of "
            "3 restarts in 10 s used up");
}

TEST(Explain, OrdinalsReadAsTheyAreSpoken) {
  const auto sentence = [](std::uint64_t count) {
    const auto text = explain("/x", decide(permanent, {}, quarantine, Rule::child_limit,
                                           {check(Rule::child_limit, count, 1, 1s, true)}));
    const auto from = text.find("quarantine: ") + 12;
    return text.substr(from, text.find(" restart", from) - from);
  };
  EXPECT_EQ(sentence(1), "1st");
  EXPECT_EQ(sentence(2), "2nd");
  EXPECT_EQ(sentence(3), "3rd");
  EXPECT_EQ(sentence(11), "11th");
  EXPECT_EQ(sentence(112), "112th");
  EXPECT_EQ(sentence(121), "121st");
}

TEST(Explain, FatalCategoriesAndFailedStartsSayThatARestartIsNoHelp) {
  const ExitRecord config{
      .kind = ExitKind::failed, .category = FailureCategory::fatal_config, .message = "no port"};
  const ExitRecord bug{.kind = ExitKind::failed, .category = FailureCategory::fatal_bug};
  EXPECT_EQ(explain("/a", decide(permanent, config, leave_stopped, Rule::fatal_category)),
            "/a: permanent, failed (fatal_config): no port -> leave stopped: a restart cannot "
            "mend fatal_config");
  EXPECT_EQ(explain("/a", decide(permanent, bug, escalate, Rule::fatal_category)),
            "/a: permanent, failed (fatal_bug) -> escalate: a restart cannot mend fatal_bug");
  EXPECT_EQ(explain("/a", decide(permanent, code_1(), escalate, Rule::start_failure)),
            "/a: permanent, exit code 1 (recoverable) -> escalate: the first start of its "
            "supervisor failed");
}

TEST(Human, PicksTheUnitAPersonWould) {
  EXPECT_EQ(human(0s), "0 s");
  EXPECT_EQ(human(1600ms), "1.6 s");
  EXPECT_EQ(human(250ms), "250 ms");
  EXPECT_EQ(human(2min), "2 min");
  EXPECT_EQ(human(60s), "60 s");
  EXPECT_EQ(human(150s), "2.5 min");
  EXPECT_EQ(human(3h), "3 h");
  EXPECT_EQ(human(1500us), "1.5 ms");
  EXPECT_EQ(human(12us), "12 us");
  EXPECT_EQ(human(999'960us), "1 s") << "rounding does not make 1000 ms";
  EXPECT_EQ(human(119'990ms), "2 min");
  EXPECT_EQ(human(123'400us), "123 ms");
  EXPECT_EQ(human(-1600ms), "-1.6 s");
}

TEST(Decision, WordsAreThoseOfTheContract) {
  EXPECT_STREQ(to_string(Verdict::leave_stopped), "leave_stopped");
  EXPECT_STREQ(to_string(Verdict::restart_after), "restart_after");
  EXPECT_STREQ(to_string(Rule::supervisor_limit), "supervisor_limit");
  EXPECT_STREQ(to_string(Rule::fatal_category), "fatal_category");
}

}  // namespace
}  // namespace espalier::supervisor
