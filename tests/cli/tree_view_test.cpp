#include "espalier/cli/tree_view.hpp"

#include "espalier/cli/text_cells.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <regex>

namespace espalier::cli {
namespace {

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

sv::ChildSpec child(const std::string& name) {
  sv::ChildSpec spec;
  spec.name = name;
  return spec;
}

sv::SupervisorSpec shop() {
  sv::SupervisorSpec inner;
  inner.name = "workers";
  inner.children = {child("loader"), child("index")};
  sv::ChildSpec workers = child("workers");
  workers.kind = sv::ChildKind::supervisor;
  workers.supervisor = std::make_shared<const sv::SupervisorSpec>(inner);
  sv::ChildSpec slow = child("slow");
  slow.policy.readiness = sv::Readiness::explicit_report;
  sv::SupervisorSpec root;
  root.name = "shop";
  root.children = {child("cache"), workers, slow};
  return root;
}

class TreeViewTest : public testing::Test {
 protected:
  void tell(const std::string& path, sv::EventBody body) {
    sv::Event event;
    event.path = path;
    event.monotonic = now_;
    event.body = std::move(body);
    view_.fold(event);
  }
  void decide(const std::string& path, sv::Duration delay) {
    auto decision = std::make_shared<sv::RestartDecision>();
    decision->exit.kind = sv::ExitKind::failed;
    decision->exit.code = 3;
    decision->verdict = sv::Verdict::restart_after;
    decision->delay = delay;
    sv::events::RestartDecided body;
    body.decision = decision;
    tell(path, body);
  }
  NodeState state(const std::string& path) const { return view_.find(path)->state; }
  std::vector<std::string> lines(std::size_t width = 80, std::size_t height = 24) const {
    Canvas canvas;
    canvas.width = width;
    canvas.height = height;
    canvas.now = now_;
    return view_.render(canvas);
  }
  std::string text() const {
    std::string all;
    for (const std::string& line : lines())
      all += line + "\n";
    return all;
  }

  TreeView view_{shop()};
  sv::TimePoint now_{1h};
};

TEST_F(TreeViewTest, KnowsEveryNodeBeforeTheFirstEvent) {
  for (const char* path : {"/", "/cache", "/workers", "/workers/loader", "/slow"}) {
    ASSERT_NE(view_.find(path), nullptr) << path;
    EXPECT_EQ(state(path), NodeState::waiting) << path;
  }
  EXPECT_EQ(view_.counts().children, 5U);
}

TEST_F(TreeViewTest, AChildWithoutReadinessIsUpOnceItRuns) {
  tell("/cache", sv::events::ChildStarting{});
  EXPECT_EQ(state("/cache"), NodeState::starting);
  tell("/cache", sv::events::ChildRunning{});
  EXPECT_EQ(state("/cache"), NodeState::up);
}

TEST_F(TreeViewTest, AChildWithReadinessIsUpOnceItSaysSo) {
  tell("/slow", sv::events::ChildRunning{});
  EXPECT_EQ(state("/slow"), NodeState::starting);
  tell("/slow", sv::events::ChildReady{});
  EXPECT_EQ(state("/slow"), NodeState::up);
}

TEST_F(TreeViewTest, ShowsBackOffCountdownReasonAndRestarts) {
  tell("/cache", sv::events::ChildRunning{});
  decide("/cache", 1500ms);
  EXPECT_EQ(state("/cache"), NodeState::backing_off);
  EXPECT_THAT(text(), HasSubstr("retry 1.5s"));
  EXPECT_THAT(text(), HasSubstr("exit code 3"));
  sv::events::ChildRestarted restarted;
  restarted.restarts_total = 7;
  tell("/cache", restarted);
  tell("/cache", sv::events::ChildRunning{});
  EXPECT_EQ(view_.find("/cache")->restarts, 7U);
  EXPECT_EQ(view_.counts().restarts, 7U);
}

TEST_F(TreeViewTest, UptimeCountsFromTheLastStart) {
  tell("/cache", sv::events::ChildRunning{});
  now_ += 65s;
  EXPECT_THAT(text(), HasSubstr("1m05s"));
}

TEST_F(TreeViewTest, AReasonGivesWayToTheStatusAfterAWhile) {
  decide("/cache", 1s);
  tell("/cache", sv::events::ChildRunning{});
  tell("/cache", sv::events::ChildStatusText{"watering"});
  EXPECT_THAT(text(), Not(HasSubstr("watering")));
  now_ += 20s;
  EXPECT_THAT(text(), HasSubstr("watering"));
}

TEST_F(TreeViewTest, StatusLineNamesWhatIsNotWell) {
  tell("/cache", sv::events::ChildRunning{});
  decide("/workers/index", 1s);
  EXPECT_EQ(view_.status_line(), "1/5 children up, 1 restarting (/workers/index)");
  tell("/slow", sv::events::ChildQuarantined{"too often"});
  EXPECT_THAT(view_.status_line(), HasSubstr("1 quarantined (/slow)"));
  tell("/", sv::events::ShutdownRequested{"SIGTERM"});
  EXPECT_THAT(view_.status_line(), HasSubstr("stopping: "));
}

TEST_F(TreeViewTest, KnowsWhenTheTreeIsUpAndWhenItStops) {
  tell("/workers", sv::events::TreeStarted{});
  EXPECT_FALSE(view_.is_up());
  tell("/", sv::events::TreeStarted{});
  EXPECT_TRUE(view_.is_up());
  EXPECT_FALSE(view_.is_stopping());
  tell("/", sv::events::ShutdownRequested{"SIGTERM"});
  EXPECT_TRUE(view_.is_stopping());
}

TEST_F(TreeViewTest, DrawsTheTree) {
  const auto drawn = lines();
  EXPECT_THAT(drawn[2], testing::StartsWith("shop"));
  EXPECT_THAT(drawn[3], testing::StartsWith("├─ cache"));
  EXPECT_THAT(drawn[5], testing::StartsWith("│  ├─ loader"));
  EXPECT_THAT(drawn[7], testing::StartsWith("└─ slow"));
}

TEST_F(TreeViewTest, DrawsWithAsciiWhereThereIsNoUnicode) {
  Canvas canvas;
  canvas.unicode = false;
  for (const std::string& line : view_.render(canvas)) {
    for (const char c : line)
      EXPECT_GE(c, ' ') << line;
  }
}

TEST_F(TreeViewTest, NeverExceedsTheCanvas) {
  for (int i = 0; i < 300; ++i) {
    view_.add_output({"/cache", 1, false, std::string(500, 'x'), false}, {});
  }
  decide("/cache", 90s);
  for (const std::size_t width : {1U, 5U, 20U, 40U, 80U, 200U}) {
    for (const std::size_t height : {1U, 2U, 5U, 8U, 10U, 24U, 60U}) {
      const auto drawn = lines(width, height);
      EXPECT_LE(drawn.size(), height) << width << "x" << height;
      for (const std::string& line : drawn) {
        EXPECT_LE(cell_width(line), width) << width << "x" << height << ": " << line;
      }
    }
  }
}

TEST_F(TreeViewTest, ShowsTroubledNodesFirstWhereNotAllFit) {
  for (const char* path : {"/cache", "/workers", "/workers/loader", "/slow"}) {
    tell(path, sv::events::ChildReady{});
  }
  decide("/workers/index", 1s);
  std::string all;
  for (const std::string& line : lines(80, 11))
    all += line + "\n";
  EXPECT_THAT(all, HasSubstr("index"));
  EXPECT_THAT(all, Not(HasSubstr("└─ slow")));
  EXPECT_THAT(all, HasSubstr("more nodes; those not up are shown first"));
}

TEST_F(TreeViewTest, ControlCharactersOfChildrenNeverReachTheTerminal) {
  view_.add_output({"/cache", 1, false, "\x1b[2J\x07gone", false}, {});
  tell("/cache", sv::events::ChildRunning{});
  tell("/cache", sv::events::ChildStatusText{"\x1b]0;title\x07"});
  for (const std::string& line : lines()) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
    EXPECT_EQ(line.find('\x07'), std::string::npos) << line;
  }
  EXPECT_THAT(text(), HasSubstr("\\x1b[2J\\x07gone"));
}

TEST_F(TreeViewTest, ColourAddsNothingButColour) {
  tell("/cache", sv::events::ChildRunning{});
  decide("/slow", 1s);
  Canvas canvas;
  canvas.now = now_;
  const auto plain = view_.render(canvas);
  canvas.color = true;
  const auto painted = view_.render(canvas);
  ASSERT_EQ(plain.size(), painted.size());
  bool painted_something = false;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    painted_something = painted_something || plain[i] != painted[i];
    EXPECT_EQ(std::regex_replace(painted[i], std::regex("\x1b\\[[0-9;]*m"), ""), plain[i]);
  }
  EXPECT_TRUE(painted_something);
}

TEST_F(TreeViewTest, EventsOfUnknownPathsDoNoHarm) {
  tell("/nobody", sv::events::ChildFailed{"why"});
  EXPECT_EQ(view_.counts().troubled, 0U);
}

TEST(ShortTime, IsShort) {
  EXPECT_EQ(short_time(0s), "0s");
  EXPECT_EQ(short_time(950ms), "950ms");
  EXPECT_EQ(short_time(59s), "59s");
  EXPECT_EQ(short_time(60s), "1m00s");
  EXPECT_EQ(short_time(2h + 10min), "2h10m");
  EXPECT_EQ(short_time(24h * 4 + 3h), "4d03h");
  EXPECT_EQ(short_time(-5s), "0s");
}

TEST_F(TreeViewTest, ChildrenComeAndGoAtRunTime) {
  const auto before = view_.counts().children;
  tell("/workers/extra", sv::events::ChildAdded{});
  tell("/workers/7", sv::events::ChildAdded{});
  tell("/nowhere/x", sv::events::ChildAdded{});
  EXPECT_EQ(view_.counts().children, before + 1);
  ASSERT_NE(view_.find("/workers/extra"), nullptr);
  EXPECT_EQ(view_.find("/workers/7"), nullptr);
  EXPECT_TRUE(std::regex_search(text(), std::regex("index[^]*extra[^]*slow"))) << text();
  tell("/workers", sv::events::ChildRemoved{});
  EXPECT_EQ(view_.counts().children, 2U);
  EXPECT_EQ(view_.find("/workers/extra"), nullptr);
  ASSERT_NE(view_.find("/slow"), nullptr);
  EXPECT_EQ(view_.find("/slow")->path, "/slow");
}

}  // namespace
}  // namespace espalier::cli
