#include "cli/top_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string up = "\x1b[A";
const std::string down = "\x1b[B";
const std::string left = "\x1b[D";
const std::string right = "\x1b[C";
const std::string escape = "\x1b";

TEST(TopKeysTest, ReadsSequencesTextAndALoneEscape) {
  using Kind = Key::Kind;
  KeyReader reader;
  EXPECT_THAT(reader.read("j\x1b[A\x1bOB\x1b[5~"),
              ElementsAre(Key{Kind::text, "j"}, Key{Kind::up, {}}, Key{Kind::down, {}},
                          Key{Kind::page_up, {}}));
  EXPECT_THAT(reader.read("\x1b"), IsEmpty());
  EXPECT_TRUE(reader.is_waiting());
  EXPECT_THAT(reader.read("[6~"), ElementsAre(Key{Kind::page_down, {}}));
  EXPECT_THAT(reader.read("\x1b"), IsEmpty());
  EXPECT_THAT(reader.flush(), ElementsAre(Key{Kind::escape, {}}));
  EXPECT_THAT(reader.read("\xe5\xad"), IsEmpty());
  EXPECT_THAT(reader.read("\x97\r\x03\x1b[99;9Xq"),
              ElementsAre(Key{Kind::text, "字"}, Key{Kind::enter, {}}, Key{Kind::interrupt, {}},
                          Key{Kind::text, "q"}));
}

TEST(TopModelTest, FollowsOnlyWhatIsShown) {
  TopModel model({.user = "ann"});
  const auto first = model.take(TopSize{80, 24}, test_now);
  ASSERT_TRUE(first.follow);
  EXPECT_EQ(*first.follow, TopWanted{});
  EXPECT_FALSE(model.take(TopTick{}, test_now).follow);
  EXPECT_EQ(*model.take(TopSize{200, 50}, test_now).follow, TopWanted{.resources = true});

  TopBench bench;
  EXPECT_EQ(*bench.type("3").follow, TopWanted{.events = true});
  EXPECT_EQ(*bench.type("1j4").follow, TopWanted{.logs = "/web"});
  EXPECT_EQ(*bench.type("a").follow, TopWanted{.logs = "/"});
  const auto detail = bench.type("2");
  EXPECT_EQ(*detail.follow, TopWanted{.resources = true});
  EXPECT_EQ(detail.why, "/web");
  EXPECT_EQ(*bench.type("q").follow, TopWanted{});
}

TEST(TopModelTest, LooksAtThePipelineOfAChildWhoseDetailIsShown) {
  TopBench bench;
  bench.give(top_snapshot(top_nodes_with_pipeline()));
  bench.type("G");
  EXPECT_EQ(bench.type("3").follow, (TopWanted{.events = true}));
  EXPECT_EQ(bench.type("2").follow, (TopWanted{.resources = true, .pipeline = "/orders"}));
  EXPECT_EQ(bench.type("1k\r").follow, TopWanted{.resources = true});
}

TEST(TopModelTest, ARateIsOfTwoLooksAtTheSameAttempt) {
  TopBench bench;
  const auto look = [&](const TopPipeline& seen) {
    bench.now += std::chrono::seconds{2};
    bench.give(seen);
    return bench.model.pipeline_rate();
  };
  EXPECT_EQ(look(top_pipeline(10, 2)), std::nullopt);
  EXPECT_EQ(look(top_pipeline(14, 3)), 2.5);
  EXPECT_EQ(look(top_pipeline(14, 3)), 0.0);
  EXPECT_EQ(look(top_pipeline(1, 0)), std::nullopt) << "it has begun again";
  EXPECT_EQ(look({"/orders", {}, {}}), std::nullopt);
  EXPECT_EQ(look(top_pipeline(5, 0)), std::nullopt) << "how long it has been running is not known";
}

TEST(TopModelTest, MovesFoldsAndGoesBack) {
  TopBench bench;
  bench.type("jj" + down);
  EXPECT_EQ(bench.model.selected(), "/workers/a");
  bench.type(left);
  EXPECT_EQ(bench.model.selected(), "/workers");
  bench.type(left);
  EXPECT_THAT(bench.paths(), ElementsAre("/", "/web", "/workers", "/pool", "/pool/1", "/pool/2"));
  bench.type(right + "G");
  EXPECT_EQ(bench.model.selected(), "/pool/2");
  bench.type("g ");
  EXPECT_THAT(bench.paths(), ElementsAre("/"));
  bench.type(" \r");
  EXPECT_EQ(bench.model.view(), TopView::detail);
  bench.type("w");
  EXPECT_EQ(bench.model.view(), TopView::why);
  bench.type("?" + escape);
  EXPECT_EQ(bench.model.view(), TopView::detail);
  EXPECT_FALSE(bench.type("q").quit);
  EXPECT_TRUE(bench.type("q").quit);
  const auto end = bench.type("\x03");
  EXPECT_TRUE(end.quit && end.interrupted);
}

TEST(TopModelTest, TabGoesRoundTheViews) {
  TopBench bench;
  for (const TopView view : {TopView::detail, TopView::events, TopView::logs, TopView::tree}) {
    bench.type("\t");
    EXPECT_EQ(bench.model.view(), view);
  }
  bench.type("\x1b[Z");
  EXPECT_EQ(bench.model.view(), TopView::logs);
}

TEST(TopModelTest, FiltersByPathAndPhaseAndSorts) {
  TopBench bench;
  bench.type("/BACKING");
  EXPECT_THAT(bench.paths(), ElementsAre("/", "/workers", "/workers/b"));
  EXPECT_EQ(bench.model.draft(), "BACKING");
  bench.type("\r");
  EXPECT_FALSE(bench.model.draft());
  EXPECT_FALSE(bench.type(escape).quit);
  EXPECT_EQ(bench.paths().size(), 8u);
  bench.type("/web\x7f\x7f\r");
  EXPECT_THAT(bench.paths(), ElementsAre("/", "/web", "/workers", "/workers/a", "/workers/b"));
  bench.type(escape + "s");
  EXPECT_EQ(bench.paths().front(), "/workers/b");
  EXPECT_EQ(bench.paths()[1], "/web");
  bench.type("s");
  EXPECT_EQ(bench.paths().front(), "/workers/b");
  bench.type("s/nothing at all");
  EXPECT_THAT(bench.paths(), IsEmpty());
  EXPECT_FALSE(bench.type("\rjkgG \x1b[5~").quit);
}

TEST(TopModelTest, CommandsAskFirst) {
  TopBench bench;
  EXPECT_FALSE(bench.type("jr").command);
  EXPECT_EQ(bench.model.question(), "restart /web? y/N");
  EXPECT_FALSE(bench.type("n").command);
  EXPECT_EQ(bench.model.note().text, "nothing was changed");
  const auto sent = bench.type("ry");
  ASSERT_TRUE(sent.command);
  EXPECT_EQ(sent.command->method, "restart_child");
  EXPECT_EQ(sent.command->params.path, "/web");
  EXPECT_EQ(sent.command->params.requested_by, "ann");
  EXPECT_EQ(bench.model.running(), "restart /web");
  EXPECT_FALSE(bench.type("Sy").command);
  bench.give(TopNote{"/web: restarted", false, true});
  const auto removed = bench.type("Xy");
  ASSERT_TRUE(removed.command);
  EXPECT_EQ(removed.command->method, "remove_child");
  EXPECT_EQ(removed.command->params.confirmed, true);
}

TEST(TopModelTest, ARestartIsOfTheAttemptThatWasLookedAt) {
  TopBench bench;
  bench.type("jr");
  auto anew = test_node("/web");
  anew.generation = 8;
  ipc::StateDeltaPush delta;
  delta.changed = {anew};
  const auto seen = bench.model.tree().find("/web")->generation;
  bench.give(delta);
  const auto sent = bench.type("y");
  ASSERT_TRUE(sent.command);
  EXPECT_EQ(sent.command->params.expected_generation, seen);
  bench.give(TopNote{"/web is in attempt 8", true, true});
  EXPECT_EQ(bench.type("ry").command->params.expected_generation, 8u);
  // Who holds something back means whichever attempt there is by then.
  bench.give(TopNote{"done", false, true});
  EXPECT_FALSE(bench.type("xy").command->params.expected_generation);
}

TEST(TopModelTest, EveryCommandKeyHasItsMethod) {
  const std::vector<std::pair<std::string, std::string>> keys = {
      {"r", "restart_child"}, {"S", "stop_child"},   {"t", "start_child"},
      {"p", "pause_child"},   {"u", "resume_child"}, {"x", "quarantine_child"},
      {"c", "reset_child"},   {"X", "remove_child"}, {"R", "reload"}};
  for (const auto& [key, method] : keys) {
    TopBench bench;
    const auto sent = bench.type("j" + key + "y");
    ASSERT_TRUE(sent.command) << key;
    EXPECT_EQ(sent.command->method, method);
    EXPECT_EQ(sent.command->params.path.has_value(), key != "R");
  }
}

TEST(TopModelTest, ScalesThePoolOfAnInstance) {
  TopBench bench;
  const auto more = bench.type("G+y");
  ASSERT_TRUE(more.command);
  EXPECT_EQ(more.command->params.path, "/pool");
  EXPECT_EQ(more.command->params.size, 3u);
  bench.give(TopNote{"done", false, true});
  EXPECT_EQ(bench.type("-y").command->params.size, 1u);
  bench.give(TopNote{"done", false, true});
  EXPECT_FALSE(bench.type("gj+y").command);
  EXPECT_THAT(bench.model.note().text, testing::AnyOf(HasSubstr("no pool"), HasSubstr("no such")));
}

TEST(TopModelTest, ReadOnlyTurnsCommandsOff) {
  TopBench bench({80, 24}, true);
  for (const char* const key : {"r", "S", "t", "p", "u", "x", "c", "+", "-", "X", "R"}) {
    EXPECT_FALSE(bench.type("j" + std::string(key) + "y").command) << key;
    EXPECT_EQ(bench.model.question(), "");
  }
  TopBench other;
  auto hello = top_hello();
  hello.allowed = {ipc::MethodClass::read};
  other.give(TopConnected{hello});
  EXPECT_FALSE(other.type("jry").command);
}

TEST(TopModelTest, LivesThroughALostConnection) {
  TopBench bench;
  bench.type("j");
  bench.give(TopLost{"it was killed"});
  bench.now += std::chrono::seconds{12};
  bench.give(TopLost{"nobody answers"});
  EXPECT_EQ(bench.model.lost_since(), test_now);
  EXPECT_EQ(bench.paths().size(), 8u);
  EXPECT_FALSE(bench.type("ry").command);
  bench.give(TopConnected{top_hello()});
  bench.give(top_snapshot({test_node("/"), test_node("/web")}));
  EXPECT_FALSE(bench.model.lost_since());
  EXPECT_EQ(bench.model.selected(), "/web");
  EXPECT_TRUE(bench.type("ry").command);
}

TEST(TopModelTest, DeltasChangeAddAndRemove) {
  TopBench bench;
  bench.type("jjj2");
  ipc::StateDeltaPush delta;
  delta.state = "up";
  auto changed = test_node("/workers/a");
  changed.generation = 2;
  delta.changed = {changed, test_node("/workers/c"), test_node("/late"), test_node("/late/x")};
  delta.removed = {"/pool/1"};
  const auto effects = bench.give(delta);
  EXPECT_EQ(effects.why, "/workers/a");
  EXPECT_EQ(bench.model.tree().find("/workers/a")->generation, 2u);
  EXPECT_EQ(bench.model.tree().state(), "up");
  EXPECT_THAT(bench.paths(), ElementsAre("/", "/web", "/workers", "/workers/a", "/workers/b",
                                         "/workers/c", "/pool", "/pool/2", "/late", "/late/x"));
}

TEST(TopModelTest, SelectionStaysNearWhatIsGone) {
  TopBench bench;
  bench.type("jjjj");
  EXPECT_EQ(bench.model.selected(), "/workers/b");
  ipc::StateDeltaPush delta;
  delta.removed = {"/workers/b"};
  bench.give(delta);
  EXPECT_EQ(bench.model.selected(), "/pool");
}

ipc::LogLine line_at(int second, const std::string& text) {
  ipc::LogLine line;
  line.at = test_now + std::chrono::seconds{second};
  line.path = "/web";
  line.message = text;
  return line;
}

TEST(TopModelTest, LinesAreNotShownTwiceAfterABreak) {
  TopBench bench;
  bench.type("j4");
  bench.give(TopLogs{"/web", true, {line_at(1, "one"), line_at(2, "two")}, {}});
  bench.give(TopLogs{"/web", false, {line_at(3, "three")}, {}});
  bench.give(TopLogs{"/web", true, {line_at(2, "two"), line_at(3, "three"), line_at(4, "4")}, {}});
  EXPECT_EQ(bench.model.logs().size(), 4u);
  bench.give(TopLogs{"/other", true, {line_at(9, "late")}, {}});
  EXPECT_EQ(bench.model.logs().size(), 4u);
  bench.type("a");
  bench.give(TopLogs{"/", true, {line_at(1, "one")}, {}});
  EXPECT_EQ(bench.model.logs().size(), 1u);
}

TEST(TopModelTest, EventsAreBoundedAndStayPutWhileScrolledBack) {
  TopBench bench;
  bench.type("3");
  for (int i = 0; i < 5000; ++i)
    bench.give(TopEvent{{{"type", "child_started"}, {"path", "/web"}}, false});
  EXPECT_LE(bench.model.events().size(), 2000u);
  bench.type("kk");
  EXPECT_EQ(bench.model.scroll(), 2u);
  bench.give(TopEvent{{{"type", "child_started"}}, false});
  EXPECT_EQ(bench.model.scroll(), 3u);
  bench.type("G");
  EXPECT_EQ(bench.model.scroll(), 0u);
}

TEST(TopModelTest, NotesGoAway) {
  TopBench bench;
  bench.give(TopNote{"done", false, true});
  bench.now += std::chrono::seconds{11};
  bench.give(TopTick{});
  EXPECT_EQ(bench.model.note().text, "");
}

}  // namespace
}  // namespace espalier::cli
