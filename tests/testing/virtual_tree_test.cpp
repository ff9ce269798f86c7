#include "espalier/testing/virtual_tree.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>

namespace espalier::testing {
namespace {

using namespace std::chrono_literals;
using supervisor::ChildKind;
using supervisor::ChildPhase;
using supervisor::ChildSpec;
using supervisor::Jitter;
using supervisor::Readiness;
using supervisor::SupervisorSpec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ChildSpec child(const std::string& name) {
  ChildSpec result;
  result.name = name;
  result.kind = ChildKind::blocking;
  result.factory = "any";
  result.policy.backoff = {.initial = 100ms, .max = 10s, .jitter = Jitter::none};
  return result;
}

SupervisorSpec tree_of(std::vector<ChildSpec> children) {
  SupervisorSpec result;
  result.children = std::move(children);
  return result;
}

TEST(VirtualTreeTest, StartsInOrderAndStopsInReverse) {
  VirtualTree tree{tree_of({child("db"), child("web")})};
  tree.advance(1s);
  EXPECT_EQ(tree.state("/web")->phase, ChildPhase::running);
  EXPECT_EQ(tree.end(), nullptr);
  tree.shutdown();
  EXPECT_THAT(tree.history(),
              ElementsAre("start /db", "start /web", "stop /web", HasSubstr("exit /web: "),
                          "stop /db", HasSubstr("exit /db: ")));
  ASSERT_NE(tree.end(), nullptr);
  EXPECT_EQ(tree.end()->kind, TreeEnd::Kind::stopped);
  EXPECT_EQ(tree.end()->children.size(), 2u);
}

TEST(VirtualTreeTest, WaitsForReadinessAndRestartsAfterTheBackOff) {
  auto db = child("db");
  db.policy.readiness = Readiness::explicit_report;
  VirtualTree tree{tree_of({db})};
  tree.child("/db").ready_after(1s).fails_after(5s, "boom").only_times(2);
  tree.advance(999ms);
  EXPECT_EQ(tree.state("/db")->phase, ChildPhase::starting);
  tree.advance(1ms);
  EXPECT_EQ(tree.state("/db")->phase, ChildPhase::running);
  tree.advance(1h);
  EXPECT_EQ(tree.state("/db")->phase, ChildPhase::running);
  EXPECT_EQ(tree.state("/db")->generation, 3u);
  EXPECT_THAT(tree.why("/db"), HasSubstr("boom"));
  ASSERT_EQ(tree.steps().size(), 5u);
  EXPECT_EQ(tree.steps()[1].at, 5s);
  EXPECT_EQ(tree.steps()[2].at, 5100ms);
  EXPECT_EQ(tree.steps()[3].at, 10100ms);
  EXPECT_EQ(tree.steps()[4].at, 10300ms);
}

TEST(VirtualTreeTest, GivesUpPastTheLimit) {
  auto spec = tree_of({child("db")});
  spec.children[0].policy.restart_limit.reset();
  spec.restart_limit = supervisor::RestartLimit{2, 60s};
  VirtualTree tree{spec};
  tree.child("/db").fails_after(1s, "boom");
  tree.advance(1min);
  ASSERT_NE(tree.end(), nullptr);
  EXPECT_EQ(tree.end()->kind, TreeEnd::Kind::failed);
}

TEST(VirtualTreeTest, AbortsAChildThatIgnoresItsStop) {
  VirtualTree tree{tree_of({child("deaf"), child("slow"), child("immortal")})};
  tree.child("/deaf").ignores_stop();
  tree.child("/slow").stops_after(2s);
  tree.child("/immortal").ignores_abort();
  tree.advance(1s);
  tree.shutdown();
  tree.advance(1min);
  ASSERT_NE(tree.end(), nullptr);
  std::map<std::string, supervisor::ChildShutdownOutcome> outcomes;
  for (const auto& status : tree.end()->children)
    outcomes[status.path] = status.outcome;
  EXPECT_EQ(outcomes["/deaf"], supervisor::ChildShutdownOutcome::aborted);
  EXPECT_EQ(outcomes["/slow"], supervisor::ChildShutdownOutcome::graceful);
  EXPECT_EQ(outcomes["/immortal"], supervisor::ChildShutdownOutcome::abort_failed);
}

TEST(VirtualTreeTest, FailsToStart) {
  VirtualTree tree{tree_of({child("db"), child("web")})};
  tree.child("/web").fails_to_start("no such program");
  tree.advance(1s);
  ASSERT_NE(tree.end(), nullptr);
  EXPECT_EQ(tree.end()->kind, TreeEnd::Kind::start_failed);
  EXPECT_THAT(tree.history().back(), HasSubstr("exit /db"));
}

TEST(VirtualTreeTest, SeesTheWatchdogBite) {
  auto db = child("db");
  db.policy.watchdog = 3s;
  VirtualTree tree{tree_of({db})};
  tree.child("/db").falls_silent_after(1min);
  tree.advance(59s);
  EXPECT_EQ(tree.state("/db")->generation, 1u);
  tree.advance(10s);
  EXPECT_EQ(tree.state("/db")->generation, 2u);
}

TEST(VirtualTreeTest, RunsNestedSupervisorsAndEscalates) {
  auto inner = tree_of({child("a"), child("b")});
  inner.name = "inner";
  inner.restart_limit = supervisor::RestartLimit{0, 60s};
  auto nested = child("inner");
  nested.kind = ChildKind::supervisor;
  nested.factory.clear();
  nested.supervisor = std::make_shared<const SupervisorSpec>(inner);
  VirtualTree tree{tree_of({nested, child("last")})};
  tree.child("/inner/a").fails_after(5s, "boom").only_times(1);
  tree.advance(1s);
  EXPECT_THAT(tree.history(),
              ElementsAre("start /inner", "start /inner/a", "start /inner/b", "start /last"));
  tree.advance(10s);
  EXPECT_EQ(tree.state("/inner")->generation, 2u);
  EXPECT_EQ(tree.state("/inner/b")->phase, ChildPhase::running);
  tree.shutdown();
  ASSERT_NE(tree.end(), nullptr);
  EXPECT_EQ(tree.end()->children.size(), 4u);
}

TEST(VirtualTreeTest, NumbersItsEventsAndStampsThemWithVirtualTime) {
  VirtualTree tree{tree_of({child("db")})};
  tree.child("/db").fails_after(5s, "boom").only_times(1);
  tree.advance(1min);
  ASSERT_FALSE(tree.events().empty());
  for (std::size_t i = 0; i < tree.events().size(); ++i)
    EXPECT_EQ(tree.events()[i].sequence, i + 1);
  const auto exited =
      std::find_if(tree.events().begin(), tree.events().end(), [](const supervisor::Event& x) {
        return std::holds_alternative<supervisor::events::ChildExited>(x.body);
      });
  ASSERT_NE(exited, tree.events().end());
  EXPECT_EQ(exited->monotonic, supervisor::TimePoint{5s});
  EXPECT_EQ(exited->path, "/db");
}

TEST(VirtualTreeTest, HealsWhenTheScriptIsReplaced) {
  auto db = child("db");
  db.policy.restart_limit.reset();
  auto spec = tree_of({db});
  spec.restart_limit.reset();
  VirtualTree tree{spec};
  tree.child("/db").fails_after(1s, "boom");
  tree.advance(10min);
  tree.child("/db") = {};
  tree.advance(1min);
  const auto generation = tree.state("/db")->generation;
  tree.advance(1h);
  EXPECT_GT(generation, 10u);
  EXPECT_EQ(tree.state("/db")->generation, generation);
}

TEST(VirtualTreeTest, SameSeedSameHistory) {
  const auto run = [](std::uint64_t seed) {
    auto db = child("db");
    db.policy.backoff.jitter = Jitter::full;
    db.policy.restart_limit.reset();
    VirtualTree tree{tree_of({db}), seed};
    tree.child("/db").fails_after(1s, "boom").only_times(5);
    tree.advance(1min);
    return tree.steps().back().at;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(VirtualTreeTest, CarriesOutCommandsAndAnswersThem) {
  VirtualTree tree{tree_of({child("db")})};
  tree.advance(1s);
  const auto stopped = tree.order({.kind = supervisor::CommandKind::stop_child,
                                   .path = "/db",
                                   .meta = {"test", "to see it stop"}});
  ASSERT_NE(tree.reply(stopped), nullptr);
  ASSERT_TRUE(tree.reply(stopped)->has_value()) << tree.reply(stopped)->error().message;
  EXPECT_EQ(tree.state("/db")->phase, ChildPhase::stopped);
  const auto nowhere = tree.order({.kind = supervisor::CommandKind::stop_child,
                                   .path = "/no/db",
                                   .meta = {"test", "to see it refused"}});
  ASSERT_NE(tree.reply(nowhere), nullptr);
  EXPECT_EQ(tree.reply(nowhere)->error().code, supervisor::Error::Code::not_found);
}

TEST(VirtualTreeTest, RunsPoolsWithOneScriptForAllInstances) {
  auto jobs = child("jobs");
  jobs.kind = ChildKind::pool;
  jobs.factory.clear();
  jobs.pool = std::make_shared<const supervisor::PoolSpec>(
      supervisor::PoolSpec{.child = child("job"), .size = 2});
  VirtualTree tree{tree_of({jobs})};
  tree.child("/jobs").fails_after(5s, "boom").only_times(1);
  tree.advance(1s);
  const auto scaled = tree.order({.kind = supervisor::CommandKind::scale_pool,
                                  .path = "/jobs",
                                  .meta = {"test", "to see it grow"},
                                  .size = 5});
  ASSERT_NE(tree.reply(scaled), nullptr);
  ASSERT_TRUE(tree.reply(scaled)->has_value()) << tree.reply(scaled)->error().message;
  tree.advance(1min);
  const auto history = tree.history();
  const auto starts = std::count_if(history.begin(), history.end(), [](const std::string& x) {
    return x.starts_with("start /jobs/");
  });
  EXPECT_EQ(starts, 6) << "five instances, and one restart";
  tree.shutdown();
  ASSERT_NE(tree.end(), nullptr);
  EXPECT_EQ(tree.end()->kind, TreeEnd::Kind::stopped);
}

TEST(VirtualTreeTest, RefusesWhatCannotBeRun) {
  auto spec = tree_of({child("a")});
  spec.children[0].dependencies = {"b"};
  EXPECT_THROW(VirtualTree{spec}, std::invalid_argument);
  VirtualTree tree{tree_of({child("a")})};
  EXPECT_THROW(tree.child("a"), std::invalid_argument);
}

TEST(VirtualTreeTest, SaysWhenATreeNeverRests) {
  auto db = child("db");
  db.policy.restart_limit.reset();
  db.policy.backoff = {.initial = 0s, .max = 0s, .jitter = Jitter::none};
  auto spec = tree_of({db});
  spec.restart_limit.reset();
  VirtualTree tree{spec};
  tree.child("/db").fails_after(0s, "boom");
  EXPECT_THROW(tree.advance(1s), std::logic_error);
}

}  // namespace
}  // namespace espalier::testing
