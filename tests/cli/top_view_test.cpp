#include "cli/top_fixture.hpp"
#include "espalier/cli/text_cells.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string golden(const std::string& name) {
  const std::ifstream file(std::string(TEST_DATA) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Without the escapes of our own colours.
std::string plain(const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      i = std::min(line.find('m', i), line.size());
    } else {
      out += line[i];
    }
  }
  return out;
}

void expect_fits(const TopModel& model, const TopLook& look) {
  const TopFrame frame = render_top(model, look);
  EXPECT_EQ(frame.lines.size(), model.size().rows);
  for (const std::string& line : frame.lines) {
    EXPECT_LE(cell_width(plain(line)), model.size().columns) << line;
    for (const char c : plain(line))
      EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }
}

TEST(TopViewTest, TreeAt80x24) {
  TopBench bench;
  bench.type("j");
  EXPECT_EQ(bench.picture(), golden("top_tree_80x24.txt"));
}

TEST(TopViewTest, TreeAt200x50) {
  TopBench bench({200, 50});
  bench.type("j");
  EXPECT_EQ(bench.picture({.unicode = true}), golden("top_tree_200x50.txt"));
}

TEST(TopViewTest, DetailWithTheReason) {
  TopBench bench;
  bench.type("jjjj\r");
  ipc::WhyResult why;
  why.path = "/workers/b";
  why.sentence = "it waits 4s after its third failure";
  bench.give(TopWhy{"/workers/b", why, {}});
  EXPECT_EQ(bench.picture(), golden("top_detail_80x24.txt"));
}

TEST(TopViewTest, DetailOfAPipeline) {
  TopBench bench;
  bench.give(top_snapshot(top_nodes_with_pipeline()));
  bench.type("G\r");
  EXPECT_THAT(bench.picture(), Not(HasSubstr("succeeded")));
  bench.give(top_pipeline(30, 2));
  bench.now += std::chrono::seconds{2};
  bench.give(top_pipeline(38, 2));
  EXPECT_EQ(bench.picture(), golden("top_pipeline_80x24.txt"));
  expect_fits(bench.model, {});
  bench.give(TopPipeline{"/orders", {}, {}});
  EXPECT_THAT(bench.picture(), HasSubstr("its pipeline does not run now"));
  bench.give(TopPipeline{"/orders", {}, "unknown method: pipelines"});
  EXPECT_THAT(bench.picture(), HasSubstr("unknown method"));
  bench.type("qg\r");
  EXPECT_THAT(bench.picture(), Not(HasSubstr("unknown method")));
}

TEST(TopViewTest, StaleFilteredAndAsked) {
  TopBench bench;
  bench.give(TopLost{"nobody answers at /run/demo.sock"});
  bench.now += std::chrono::seconds{12};
  bench.type("/work");
  EXPECT_THAT(bench.picture(), AllOf(HasSubstr("stale since 12s, trying again"),
                                     HasSubstr("filter by path or phase: work"),
                                     Not(HasSubstr("live")), Not(HasSubstr("pool"))));
  TopBench other;
  other.type("jr");
  EXPECT_THAT(other.picture(), AllOf(HasSubstr("restart /web? y/N"), HasSubstr("live")));
}

TEST(TopViewTest, EventsAndLogs) {
  TopBench bench;
  bench.type("j3");
  EXPECT_THAT(bench.picture(), HasSubstr("no events so far"));
  bench.give(TopEvent{{{"type", "child_exited"},
                       {"path", "/web"},
                       {"at", "2026-01-31T12:03:07.001234Z"},
                       {"reason", "out of paper"}},
                      false});
  bench.give(TopEvent{{{"type", "gap"}, {"from", 4}, {"to", 7}, {"count", 4}}, true});
  EXPECT_THAT(bench.picture(),
              AllOf(HasSubstr("12:03:07.001  /web  child_exited: reason out of"),
                    HasSubstr("4 events are missing (4 to 7)"), HasSubstr("[3 events]")));
  bench.type("4");
  ipc::LogLine line;
  line.at = test_now;
  line.path = "/web";
  line.message = "hello there";
  bench.give(TopLogs{"/web", true, {line}, {}});
  EXPECT_THAT(bench.picture(), AllOf(HasSubstr("/web  hello there"), HasSubstr("/web, live")));
}

TEST(TopViewTest, HelpListsEveryKey) {
  TopBench bench({80, 30});
  bench.type("?");
  const std::string text = bench.picture();
  for (const char* const word : {"restart", "stop", "start", "pause", "resume", "quarantine",
                                 "reset counters", "remove", "size of a pool", "fold", "filter"})
    EXPECT_THAT(text, HasSubstr(word));
}

TEST(TopViewTest, SurvivesEverySizeAndHostileText) {
  auto nodes = top_nodes();
  nodes[1].status_text = "red \x1b[31m alert \x07 \xff 字字字字字字字字字字字字字字字字";
  nodes.push_back(test_node("/字字字字字字字字字字字字字字字字字字字字字"));
  nodes.push_back(test_node("/evil\x1b[2J\nname"));
  nodes[4].last_exit->message = "bad\nline\r\x9b";
  for (const TopSize size : {TopSize{20, 5}, TopSize{1, 1}, TopSize{3, 2}, TopSize{40, 8},
                             TopSize{80, 24}, TopSize{200, 50}}) {
    TopBench bench(size);
    bench.give(top_snapshot(nodes));
    bench.give(TopEvent{{{"type", "x\x1b[2J"}, {"path", "/\n"}, {"at", "\x1b"}}, false});
    bench.give(TopLost{"gone \x1b[2J"});
    for (const char* const keys : {"jjjj", "2", "3", "4", "w", "?", "1s", "s", "/\xe5\xad\x97"}) {
      bench.type(keys);
      expect_fits(bench.model, {});
      expect_fits(bench.model, {.color = true, .unicode = true});
    }
  }
}

TEST(TopViewTest, DrawsOnlyWhatIsVisibleOfThousands) {
  std::vector<ipc::NodeInfo> nodes = {test_node("/")};
  for (int i = 0; i < 10'000; ++i)
    nodes.push_back(test_node("/n" + std::to_string(i)));
  TopBench bench;
  bench.give(top_snapshot(nodes));
  bench.type("G");
  EXPECT_THAT(bench.picture(), AllOf(HasSubstr("> "), HasSubstr("n9999"), Not(HasSubstr("n5000"))));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(render_top(bench.model, {}).lines.size(), 24u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
}

TEST(TopViewTest, CutsTextWithColours) {
  EXPECT_EQ(cut_colored("abc", 2), "ab");
  EXPECT_EQ(cut_colored("\x1b[1mabc\x1b[0m", 2), "\x1b[1mab\x1b[0m");
  EXPECT_EQ(cut_colored("\x1b[1mabc\x1b[0m", 3), "\x1b[1mabc\x1b[0m");
  EXPECT_EQ(cut_colored("字字", 3), "字");
  EXPECT_EQ(cut_colored("\x1b[", 3), "\x1b[");
}

TEST(TopViewTest, NoColourMeansNoEscapes) {
  TopBench bench;
  EXPECT_THAT(bench.picture(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(bench.picture({.color = true}), HasSubstr("\x1b[7m"));
}

}  // namespace
}  // namespace espalier::cli
