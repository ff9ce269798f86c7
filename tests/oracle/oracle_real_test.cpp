// Generated scenarios, carried out by OTP's own supervisor and by our engine: the traces of starts
// and stops agree. docs/oracle.md says what is compared. ESPALIER_ORACLE=N: N scenarios instead of
// the few of every build; ESPALIER_ORACLE_SEED=S: from seed S on. A difference is reduced before
// it is printed.
#include "oracle/compare.hpp"
#include "oracle/our_tree.hpp"
#include "oracle/random_scenario.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

namespace espalier::oracle {
namespace {

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text ? static_cast<unsigned>(std::stoul(text)) : otherwise;
}

class OtpOracle : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = Otp::missing()) GTEST_SKIP() << *why;
    otp_.emplace();
  }
  const Otp& otp() const { return *otp_; }

 private:
  std::optional<Otp> otp_ = {};
};

TEST_F(OtpOracle, AgreesOnGeneratedScenarios) {
  const auto first = number_from("ESPALIER_ORACLE_SEED", 0);
  const auto end = first + number_from("ESPALIER_ORACLE", 300);
  constexpr unsigned batch = 500;
  for (auto from = first; from < end; from += batch) {
    std::vector<Scenario> scenarios;
    for (auto seed = from; seed < std::min(from + batch, end); ++seed)
      scenarios.push_back(RandomScenario{seed}.write());
    const auto traces = otp().traces_of(scenarios);
    for (unsigned i = 0; i < scenarios.size(); ++i) {
      if (agree(traces[i], trace_of(scenarios[i]))) continue;
      const auto least = reduced(scenarios[i], otp());
      FAIL() << "seed " << from + i << ", reduced:\n"
             << to_term(least) << "\n\nOTP left, ours right:\n"
             << side_by_side(least, otp().traces_of({least}).front(), trace_of(least));
    }
  }
}

using supervisor::AutoShutdown;
using supervisor::RestartType;
using supervisor::Strategy;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Pair;

Action exits(std::vector<Action::End> ends) {
  Action action;
  action.kind = Action::Kind::exits;
  action.ends = std::move(ends);
  return action;
}

Action about(Action::Kind kind, const std::string& path, std::uint32_t times = 0) {
  Action action;
  action.kind = kind;
  action.path = path;
  action.times = times;
  return action;
}

ChildDecl worker(const std::string& name, RestartType restart, bool significant = false) {
  return {name, restart, significant, Nature::obedient, {}};
}

// What follows would not be written at random, for the table says that it differs; and if a
// difference were overlooked, this would be overlooked too.
class OtpDifference : public OtpOracle {
 protected:
  std::string last_step(const Scenario& scenario) {
    const auto theirs = otp().traces_of({scenario}).front();
    const auto ours = trace_of(scenario);
    EXPECT_FALSE(agree(theirs, ours));
    const auto text = side_by_side(scenario, theirs, ours);
    return text.substr(text.find(to_term(scenario.actions.back())));
  }
};

TEST_F(OtpDifference, WhatAnOperatorStoppedStaysDownInAGroupRestart) {
  Scenario scenario;
  scenario.root = {Strategy::one_for_all, 1, AutoShutdown::never, {}};
  scenario.root.children = {worker("a", RestartType::permanent),
                            worker("b", RestartType::permanent)};
  scenario.actions = {about(Action::Kind::start, ""), about(Action::Kind::terminate, "/b"),
                      exits({{"/a", Reason::crash}})};
  EXPECT_FALSE(is_comparable(scenario));
  EXPECT_EQ(last_step(scenario), R"({exits,[{[a],crash}]}
    start /a                                    start /a
  ! start /b                                    up /a
  ! up /a /b                                    
)");
}

TEST_F(OtpDifference, ATransientSupervisorThatGaveUpIsRestarted) {
  SupervisorDecl nested{Strategy::one_for_one, 0, AutoShutdown::never, {}};
  nested.children = {worker("x", RestartType::permanent)};
  Scenario scenario;
  scenario.root.children = {worker("n", RestartType::transient)};
  scenario.root.children[0].nested = std::make_shared<const SupervisorDecl>(nested);
  scenario.actions = {about(Action::Kind::start, ""), exits({{"/n/x", Reason::crash}})};
  EXPECT_EQ(last_step(scenario), R"({exits,[{[n,x],crash}]}
    gives up /n                                 gives up /n
  ! up                                          start /n
  !                                             start /n/x
  !                                             up /n /n/x
)");
}

TEST_F(OtpDifference, ASignificantChildThatWaitsForItsGroupHasNotEnded) {
  Scenario scenario;
  scenario.root = {Strategy::rest_for_one, 5, AutoShutdown::all_significant, {}};
  scenario.root.children = {worker("a", RestartType::temporary, true),
                            worker("b", RestartType::permanent),
                            worker("c", RestartType::transient, true)};
  scenario.actions = {about(Action::Kind::start, ""), about(Action::Kind::fail, "/b", 1),
                      exits({{"/b", Reason::crash}, {"/a", Reason::normal}})};
  EXPECT_FALSE(is_comparable(scenario));
  EXPECT_EQ(last_step(scenario), R"({exits,[{[b],crash},{[a],normal}]}
    stop /c                                     stop /c
    fail /b                                     fail /b
  ! end                                         start /b
  !                                             start /c
  !                                             up /b /c
)");
}

// What the scenarios of every build make happen, so that agreement means something.
TEST(RandomScenarioTest, LetsEverythingHappen) {
  std::map<std::string, int> actions;
  for (const auto* kind : {"start", "{fail", "{exits", "{terminate", "{delete", "{restart",
                           "{start", "{grow", "{shrink", "shutdown"})
    actions[kind] = 0;
  std::map<std::string, int> lines;
  for (const auto* kind : {"start", "fail", "stop", "kill", "gives up", "start failed", "reply ok",
                           "reply failed", "reply taken", "reply not_found"})
    lines[kind] = 0;
  int by_itself = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto scenario = RandomScenario{seed}.write();
    const auto trace = trace_of(scenario);
    by_itself += trace.size() == scenario.actions.size() &&
                 scenario.actions.back().kind != Action::Kind::shutdown;
    for (const auto& action : scenario.actions) {
      const auto term = to_term(action);
      ++actions[term.substr(0, term.find(','))];
    }
    for (const auto& step : trace)
      for (const auto& line : step)
        ++lines[line.substr(0, line.find(" /"))];
  }
  lines.erase("up");
  EXPECT_THAT(actions, Each(Pair(testing::_, Ge(20))));
  EXPECT_THAT(lines, Each(Pair(testing::_, Ge(1))));
  EXPECT_GE(by_itself, 60);
}

}  // namespace
}  // namespace espalier::oracle
