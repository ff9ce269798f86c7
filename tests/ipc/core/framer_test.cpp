#include "espalier/ipc/core/framer.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Cut {
  std::vector<std::string> lines = {};
  bool too_long = false;
  std::size_t unfinished = 0;
  std::size_t held = 0;  // At most.
  bool operator==(const Cut& other) const {
    return lines == other.lines && too_long == other.too_long && unfinished == other.unfinished;
  }
};

void take(Framer& framer, std::string_view bytes, Cut& into) {
  framer.feed(bytes);
  while (const auto line = framer.next())
    into.lines.emplace_back(*line);
  into.too_long = framer.too_long();
  into.unfinished = framer.unfinished();
  into.held = std::max(into.held, framer.held());
}

Cut in_one(std::size_t max, std::string_view bytes) {
  Framer framer{max};
  Cut cut;
  take(framer, bytes, cut);
  return cut;
}

// The same, said without buffers.
Cut by_definition(std::size_t max, std::string_view bytes) {
  Cut cut;
  for (;;) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    if (end > max) {
      cut.too_long = true;
      return cut;
    }
    if (end == bytes.size()) {
      cut.unfinished = end;
      return cut;
    }
    if (end > 0) cut.lines.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
}

std::string random_bytes(std::mt19937& random, std::size_t longest) {
  std::string bytes(random() % 400, '\0');
  std::size_t line = 0;
  for (auto& byte : bytes) {
    const bool ends = line >= longest || random() % 6 == 0;
    byte = ends ? '\n' : static_cast<char>(random() % 256);
    line = byte == '\n' ? 0 : line + 1;
  }
  return bytes;
}

TEST(framer, gives_lines_without_their_newline_and_skips_empty_ones) {
  EXPECT_THAT(in_one(64, "a\n\nbc\n\n\nrest").lines, ElementsAre("a", "bc"));
  EXPECT_EQ(in_one(64, "a\n\nbc\n\n\nrest").unfinished, 4U);
}

TEST(framer, any_cutting_of_any_bytes_gives_the_same_lines) {
  std::mt19937 random{1};  // NOLINT: the same bytes every time
  for (int round = 0; round < 2000; ++round) {
    const std::size_t max = 1 + random() % 40;
    const auto bytes = random_bytes(random, max + random() % 3);
    const auto expected = by_definition(max, bytes);
    ASSERT_EQ(in_one(max, bytes), expected) << "round " << round;
    Framer framer{max};
    Cut cut;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t count = 1 + random() % 30;
      take(framer, std::string_view{bytes}.substr(at, count), cut);
      at += count;
    }
    ASSERT_EQ(cut, expected) << "round " << round;
  }
}

TEST(framer, lines_can_be_taken_late) {
  Framer framer{8};
  framer.feed("one\ntw");
  framer.feed("o\nthree\n12");
  EXPECT_EQ(framer.unfinished(), 2U);
  std::vector<std::string> lines;
  while (const auto line = framer.next())
    lines.emplace_back(*line);
  EXPECT_THAT(lines, ElementsAre("one", "two", "three"));
}

TEST(framer, a_line_of_the_greatest_length_is_a_line) {
  const std::string longest(64, 'x');
  EXPECT_THAT(in_one(64, longest + "\n").lines, ElementsAre(longest));
  EXPECT_FALSE(in_one(64, longest).too_long);
}

TEST(framer, one_byte_more_is_too_long_at_that_byte) {
  Framer framer{64};
  Cut cut;
  take(framer, std::string(64, 'x'), cut);
  EXPECT_FALSE(cut.too_long);
  take(framer, "x", cut);
  EXPECT_TRUE(cut.too_long);
}

TEST(framer, a_late_newline_does_not_make_it_a_line) {
  const auto cut = in_one(64, "first\n" + std::string(65, 'x') + "\nnext\n");
  EXPECT_THAT(cut.lines, ElementsAre("first"));
  EXPECT_TRUE(cut.too_long);
}

TEST(framer, after_too_long_nothing_comes_and_nothing_is_kept) {
  Framer framer{64};
  framer.feed(std::string(100, 'x'));
  EXPECT_TRUE(framer.too_long());
  EXPECT_EQ(framer.next(), std::nullopt);
  framer.feed("\nhello\n");
  EXPECT_EQ(framer.next(), std::nullopt);
  EXPECT_EQ(framer.unfinished(), 0U);
  EXPECT_LE(framer.held(), 64U);
}

TEST(framer, memory_stays_within_a_line_and_a_read) {
  constexpr std::size_t max = 64UL * 1024;
  constexpr std::size_t read = 4096;
  std::mt19937 random{2};  // NOLINT
  Framer framer{max};
  Cut cut;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes(random() % read, 'x');
    if (random() % 12 == 0 || framer.unfinished() > max - read) bytes.insert(0, "\n");
    bytes.resize(std::min(bytes.size(), read));
    cut.lines.clear();
    take(framer, bytes, cut);
    ASSERT_LE(cut.held, max + read);
  }
  EXPECT_FALSE(cut.too_long);
}

TEST(framer, a_gigabyte_without_a_newline_costs_one_line) {
  Framer framer{64UL * 1024};
  const std::string part(1UL << 20U, 'x');
  Cut cut;
  for (int i = 0; i < 1024; ++i) {
    take(framer, std::string_view{part}.substr(0, i == 0 ? 4096 : part.size()), cut);
  }
  EXPECT_TRUE(cut.too_long);
  EXPECT_THAT(cut.lines, IsEmpty());
  EXPECT_LE(framer.held(), 64U);
}

}  // namespace
}  // namespace espalier::ipc
