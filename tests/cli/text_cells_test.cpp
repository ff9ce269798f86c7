#include "espalier/cli/text_cells.hpp"

#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

TEST(TextCells, MakesControlCharactersVisible) {
  EXPECT_EQ(escape_controls("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(escape_controls("line\r\n"), "line\\x0d\\x0a");
  EXPECT_EQ(escape_controls("a\tb"), "a b");
  EXPECT_EQ(escape_controls("\xc2\x9b"
                            "2J"),
            "\\u009b2J");
  EXPECT_EQ(escape_controls("\x7f"), "\\x7f");
}

TEST(TextCells, MakesBytesThatAreNoUtf8Visible) {
  EXPECT_EQ(escape_controls("\xff"), "\\xff");
  EXPECT_EQ(escape_controls("\xc3"), "\\xc3");
  EXPECT_EQ(escape_controls("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(escape_controls("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(TextCells, ShowsCharactersThatReverseTheReadingDirection) {
  EXPECT_EQ(escape_controls("a\xe2\x80\xae"
                            "b"),
            "a\\u202eb");
}

TEST(TextCells, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(escape_controls("Apfelbäume 苹果树"), "Apfelbäume 苹果树");
}

TEST(TextCells, CountsWideCharactersTwice) {
  EXPECT_EQ(cell_width("abc"), 3U);
  EXPECT_EQ(cell_width("ä"), 1U);
  EXPECT_EQ(cell_width("苹果"), 4U);
}

TEST(TextCells, CutsAndFillsToAWidth) {
  EXPECT_EQ(cut("abcdef", 6), "abcdef");
  EXPECT_EQ(cut("abcdefg", 6), "abcd..");
  EXPECT_EQ(cut("abc", 1), ".");
  EXPECT_EQ(cut("abc", 0), "");
  EXPECT_EQ(fit("ab", 4), "ab  ");
  EXPECT_EQ(fit("苹果树木", 7), "苹果.. ") << "half a wide character is never shown";
  EXPECT_EQ(cell_width(fit("苹果树木", 7)), 7U);
}

}  // namespace
}  // namespace espalier::cli
