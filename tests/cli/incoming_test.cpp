#include "espalier/cli/pipeline/incoming.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace {

namespace pl = espalier::pipeline;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = pl::Failure::Kind;

pl::Item failed(const std::string& line, Kind kind) {
  auto item = make_item(*read_incoming({17, line, false}, "order"), "price", "urgency");
  item.failure = std::make_unique<pl::Failure>();
  item.failure->kind = kind;
  item.failure->message = "no luck";
  item.failure->type = "exit code 1";
  item.failure->stage = "send";
  item.failure->attempts = 3;
  return item;
}

TEST(IncomingTest, IsKnownByItsFieldOrItsLine) {
  EXPECT_EQ(read_incoming({17, R"({"order":"A5"})", false}, "order")->id, "A5");
  EXPECT_EQ(read_incoming({17, R"({"order":5})", false}, "order")->id, "5");
  EXPECT_EQ(read_incoming({17, R"({"order":"A5"})", false}, "")->id, "17");
  EXPECT_EQ(read_incoming({17, "{}", false}, "order").error(),
            "line 17: it has no order, which is to be its id");
  EXPECT_THAT(read_incoming({17, "{", false}, "").error(), HasSubstr("line 17: "));
  EXPECT_THAT(read_incoming({17, "", true}, "").error(), HasSubstr("longer than 64 MiB"));
}

TEST(IncomingTest, PriorityIsAWholeNumberOrThatOfAllOthers) {
  const auto priority = [](const std::string& line, const std::string& field = "urgency") {
    return make_item(*read_incoming({1, line, false}, ""), "a", field).priority;
  };
  EXPECT_EQ(priority(R"({"urgency":3})"), 3);
  EXPECT_EQ(priority(R"({"urgency":-3})"), -3);
  EXPECT_EQ(priority(R"({"urgency":99999999999})"), 2147483647);
  EXPECT_EQ(priority(R"({"urgency":-99999999999})"), -2147483647 - 1);
  for (const char* none : {R"({"urgency":1.5})", R"({"urgency":"3"})", "{}", "7"})
    EXPECT_EQ(priority(none), pl::default_priority) << none;
  EXPECT_EQ(priority(R"({"urgency":3})", ""), pl::default_priority);
}

TEST(IncomingTest, ADeadLetterSaysWhatFailedWhereAndHow) {
  auto item = failed(R"({"order":"A5"})", Kind::thrown);
  const auto line = letter_of(item).to_line();
  EXPECT_EQ(line.substr(0, line.find(",\"at\"")),
            R"({"id":"A5","line":17,"stage":"send","attempts":3,"kind":"failed",)"
            R"("type":"exit code 1","error":"no luck","input":{"order":"A5"})");
  item.value.reset();
  const auto in_hand = letter_of(item);
  EXPECT_EQ(in_hand.stage, "price") << "where it came in, with what it came in with";
  EXPECT_EQ(in_hand.error, "at send: no luck");
  EXPECT_EQ(in_hand.input->dump(), R"({"order":"A5"})");
}

TEST(IncomingTest, KindsHaveTheWordsOfTheManual) {
  std::vector<std::string> words;
  for (const auto kind :
       {Kind::thrown, Kind::timed_out, Kind::circuit_open, Kind::refused, Kind::cancelled})
    words.push_back(letter_of(failed("{\"order\":1}", kind)).kind);
  EXPECT_THAT(words, ElementsAre("failed", "timed_out", "circuit_open", "refused", "cancelled"));
  EXPECT_EQ(letter_of_line({3, "{", false}, "no JSON").kind, "refused");
}

}  // namespace
}  // namespace espalier::cli
