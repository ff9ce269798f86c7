#include "espalier/supervisor/observe/journal_line.hpp"

#include "espalier/supervisor/observe/internal/journal_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::supervisor {
namespace {

using internal::examine_segment;
using internal::RawLines;
using internal::SegmentState;

std::string line_at(std::uint64_t position) {
  std::string out = R"({"type":"child_status","sequence":)" + std::to_string(position) +
                    R"(,"epoch":7,"at":"2026-01-02T03:04:05.000006Z","path":"/db","text":"x"})";
  seal_journal_line(out, 0, position);
  return out;
}

std::string journal_of(std::uint64_t lines) {
  std::string out;
  for (std::uint64_t i = 1; i <= lines; ++i)
    out += line_at(i) + "\n";
  return out;
}

SegmentState examine(const std::string& bytes) {
  std::istringstream input{bytes};
  return examine_segment(input, 1);
}

// What a reader gets out of the bytes: positions, 0 for each damaged line.
std::vector<std::uint64_t> positions_in(const std::string& bytes) {
  std::istringstream input{bytes};
  RawLines lines{input};
  std::vector<std::uint64_t> out;
  while (const auto line = lines.next()) {
    if (!line->ended) break;
    out.push_back(check_journal_line(line->text).value_or(0));
  }
  return out;
}

TEST(JournalLine, IsTheEventWithTwoMoreFields) {
  std::string out = "before";
  out += R"({"type":"tree_starting","path":"/"})";
  seal_journal_line(out, 6, 42);
  const auto json = nlohmann::json::parse(out.substr(6));
  EXPECT_EQ(json["type"], "tree_starting");
  EXPECT_EQ(json["position"], 42);
  EXPECT_EQ(json["crc32"].get<std::string>().size(), 8U);
  EXPECT_EQ(check_journal_line(std::string_view{out}.substr(6)).value(), 42U);
}

// Computed with zlib.crc32 of Python: whoever doubts a journal can check it without us.
TEST(JournalLine, HasTheChecksumOfZlib) {
  std::string out = "{\"a\":1}";
  seal_journal_line(out, 0, 1);
  EXPECT_EQ(out, R"({"a":1,"position":1,"crc32":"147de3bc"})");
}

TEST(JournalLine, SaysWhatIsWrong) {
  const auto problem = [](const std::string& line) { return check_journal_line(line).error(); };
  EXPECT_EQ(problem(""), "it does not end as a line of a journal does");
  EXPECT_EQ(problem(R"({"type":"tree_starting"})"), "it does not end as a line of a journal does");
  auto line = line_at(3);
  line[10] = 'X';
  EXPECT_EQ(problem(line), "its checksum is wrong");
}

TEST(JournalLine, HasATimeThatNoTextOfAChildCanFake) {
  EXPECT_EQ(time_of_journal_line(line_at(1)), "2026-01-02T03:04:05.000006Z");
  EXPECT_EQ(time_of_journal_line("{}"), "");
}

TEST(JournalOrder, TellsWhatIsMissingAndWhatStandsInAWrongPlace) {
  JournalOrder order;
  EXPECT_EQ(order.add(line_at(7)).missing, 0U) << "a journal may begin anywhere";
  EXPECT_EQ(order.add(line_at(8)).missing, 0U);
  EXPECT_EQ(order.add(line_at(11)).missing, 2U);
  const auto again = order.add(line_at(11));
  EXPECT_EQ(again.position, 11U);
  EXPECT_EQ(again.problem, "its position is 11, and 12 was to come");
  EXPECT_EQ(order.add("nonsense").position, 0U);
  EXPECT_EQ(order.add(line_at(13)).missing, 0U) << "the damaged line has been told of";
}

TEST(JournalRecovery, KeepsAllOfWhatIsWhole) {
  const auto bytes = journal_of(3);
  const auto state = examine(bytes);
  EXPECT_EQ(state.next, 4U);
  EXPECT_EQ(state.valid, bytes.size());
  EXPECT_EQ(state.torn, 0U);
  EXPECT_FALSE(state.is_damaged);
  EXPECT_EQ(examine("").next, 1U);
}

// Cut off at every byte: the whole lines before the cut, and nothing else, are kept.
TEST(JournalRecovery, CutsOffATornEndAtEveryByte) {
  const auto whole = journal_of(5);
  const auto one = line_at(1).size() + 1;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const auto bytes = whole.substr(0, cut);
    const auto state = examine(bytes);
    ASSERT_EQ(state.valid, cut / one * one) << cut;
    ASSERT_EQ(state.torn, cut % one) << cut;
    ASSERT_EQ(state.next, cut / one + 1) << cut;
    ASSERT_FALSE(state.is_damaged) << cut;
  }
}

// Every byte, changed in three ways: the lines before it are all there, the one with it is damaged
// or reads as it was written, no later one is lost, and a second look gives the same.
TEST(JournalRecovery, LosesNoLineButTheOneThatWasChanged) {
  const auto whole = journal_of(5);
  const auto one = line_at(1).size() + 1;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char to : {'\0', '\n', static_cast<char>(whole[at] ^ 1)}) {
      if (whole[at] == to) continue;
      auto bytes = whole;
      bytes[at] = to;
      const auto hit = at / one + 1;
      const bool joins = at % one == one - 1;  // Without its newline it takes the next one along.
      const auto read = positions_in(bytes);
      const std::vector<std::uint64_t> before(read.begin(),
                                              read.begin() + static_cast<std::ptrdiff_t>(hit - 1));
      for (std::uint64_t i = 1; i < hit; ++i)
        ASSERT_EQ(before[i - 1], i) << at;
      for (std::uint64_t i = hit + (joins ? 2 : 1); i <= 5; ++i)
        ASSERT_NE(std::find(read.begin(), read.end(), i), read.end()) << at << " lost " << i;
      ASSERT_EQ(std::find(read.begin(), read.end(), hit), read.end()) << at;

      const auto first = examine(bytes);
      const auto second = examine(bytes.substr(0, first.valid));
      ASSERT_EQ(second.valid, first.valid) << at;
      ASSERT_EQ(second.next, first.next) << at;
      ASSERT_EQ(second.torn, 0U) << at;
      ASSERT_EQ(second.is_damaged, first.is_damaged) << at;
    }
  }
}

TEST(JournalRecovery, DoesNotTakeADamagedMiddleForATornEnd) {
  auto bytes = journal_of(3);
  bytes[5] = 'X';
  const auto state = examine(bytes);
  EXPECT_TRUE(state.is_damaged);
  EXPECT_EQ(state.torn, 0U);
  EXPECT_EQ(state.next, 4U);
}

// As some file systems leave them after a loss of power.
TEST(JournalRecovery, TakesZerosAtTheEndForTorn) {
  const auto whole = journal_of(2);
  const auto state = examine(whole + std::string(4096, '\0'));
  EXPECT_EQ(state.valid, whole.size());
  EXPECT_EQ(state.torn, 4096U);
}

TEST(RawLines, ReadsWhatAWriterHasAddedSince) {
  std::stringstream file;
  RawLines lines{file};
  EXPECT_FALSE(lines.next());
  file << "one\ntw";
  EXPECT_EQ(lines.next()->text, "one");
  EXPECT_FALSE(lines.next()->ended);
  file << "o\n";
  const auto second = lines.next();
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->ended);
  EXPECT_EQ(second->text, "two");
  EXPECT_EQ(second->number, 2U);
  EXPECT_EQ(second->end, 8U);
  EXPECT_FALSE(lines.next());
}

TEST(RawLines, PassesOverALineThatIsLongerThanAnyEvent) {
  std::istringstream file{std::string(std::size_t{40} << 20U, 'x') + "\nnext\n"};
  RawLines lines{file};
  const auto first = lines.next();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->ended);
  EXPECT_LT(first->text.size(), std::size_t{20} << 20U) << "it is not kept";
  EXPECT_EQ(first->end, (std::size_t{40} << 20U) + 1);
  EXPECT_EQ(lines.next()->text, "next");
}

}  // namespace
}  // namespace espalier::supervisor
