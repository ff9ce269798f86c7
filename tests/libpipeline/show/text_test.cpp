#include "espalier/pipeline/show/internal/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace espalier::pipeline::internal {
namespace {

using namespace std::chrono_literals;

TEST(ShowText, StrangersDriveNoTerminal) {
  EXPECT_EQ(printable("a\nb\x1b[2J\xff"), "a\\nb\\x1b[2J\xEF\xBF\xBD");
}

TEST(ShowText, CountsColumnsNotBytes) {
  EXPECT_EQ(cells("abc"), 3u);
  EXPECT_EQ(cells("\u4e2d\u6587"), 4u);  // Chinese: two each.
  EXPECT_EQ(cells("e\u0301"), 1u);       // A letter and its accent.
  EXPECT_EQ(cells("\U0001F600"), 2u);    // An emoji.
  EXPECT_EQ(cells("\u2588"), 1u);        // A block of the bar.
}

TEST(ShowText, CutsAndFillsToTheColumn) {
  EXPECT_EQ(cut("abcdef", 6), "abcdef");
  EXPECT_EQ(cut("abcdef", 5), "abc..");
  EXPECT_EQ(cut("abcdef", 1), ".");
  EXPECT_EQ(cut("abcdef", 0), "");
  EXPECT_EQ(left("\u4e2d\u6587\u5b57", 5), "\u4e2d.. ");
  EXPECT_EQ(left("ab", 4), "ab  ");
  EXPECT_EQ(right("ab", 4), "  ab");
}

TEST(ShowText, TimesForPeople) {
  EXPECT_EQ(time_text(0ns), "0.0 s");
  EXPECT_EQ(time_text(-1s), "0.0 s");
  EXPECT_EQ(time_text(9900ms), "9.9 s");
  EXPECT_EQ(time_text(9960ms), "10 s");
  EXPECT_EQ(time_text(59'600ms), "1 min 00 s");
  EXPECT_EQ(time_text(125s), "2 min 05 s");
  EXPECT_EQ(time_text(3h + 7min), "3 h 07 min");
  EXPECT_EQ(short_time(850ns), "850 ns");
  EXPECT_EQ(short_time(12'500ns), "12.5 us");
  EXPECT_EQ(short_time(3ms), "3.0 ms");
  EXPECT_EQ(short_time(1200ms), "1.2 s");
  EXPECT_EQ(rate_text(4.5), "4.5/s");
  EXPECT_EQ(rate_text(1234.6), "1235/s");
}

TEST(ShowText, TablesAlignAndCut) {
  Table table({{"NAME", false, 6}, {"N"}, {"TEXT", false}});
  table.add({"a", "100", "first"});
  table.add({"a long name", "7", ""});
  EXPECT_THAT(table.lines(80),
              testing::ElementsAre("NAME      N  TEXT", "a       100  first", "a lo..    7"));
  EXPECT_THAT(table.lines(10), testing::ElementsAre("NAME    ..", "a       ..", "a lo..  .."));
}

}  // namespace
}  // namespace espalier::pipeline::internal
