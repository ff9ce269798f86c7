#include "espalier/supervisor/process/line_splitter.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace espalier::supervisor {
namespace {

struct Lines {
  LineSplitter splitter = {};
  std::vector<std::string> heard = {};
  auto sink() {
    return [this](const std::string& line, bool truncated) {
      heard.push_back(truncated ? std::to_string(line.size()) + "+" : line);
    };
  }
  void feed(const std::string& text) { splitter.feed(text, sink()); }
  void finish() { splitter.finish(sink()); }
};

using ::testing::ElementsAre;

TEST(LineSplitter, JoinsWhatCameInPieces) {
  Lines lines;
  lines.feed("on");
  lines.feed("e\n\ntw");
  lines.feed("o\n");
  lines.finish();
  EXPECT_THAT(lines.heard, ElementsAre("one", "", "two"));
}

TEST(LineSplitter, DeliversALastLineWithoutNewline) {
  Lines lines;
  lines.feed("a\nrest");
  EXPECT_THAT(lines.heard, ElementsAre("a"));
  lines.finish();
  EXPECT_THAT(lines.heard, ElementsAre("a", "rest"));
}

TEST(LineSplitter, KeepsALineOfExactlyTheBound) {
  Lines lines;
  const std::string exact(LineSplitter::max_line, 'x');
  lines.feed(exact + "\n");
  EXPECT_THAT(lines.heard, ElementsAre(exact));
}

TEST(LineSplitter, CutsALongerLineOnceAndSkipsTheRestOfIt) {
  Lines lines;
  for (int i = 0; i < 5; ++i)
    lines.feed(std::string(LineSplitter::max_line, 'x'));
  lines.feed("tail\nnext\n");
  lines.finish();
  EXPECT_THAT(lines.heard, ElementsAre("8192+", "next"));
}

}  // namespace
}  // namespace espalier::supervisor
