#include "espalier/ipc/wire/json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::string_literals;

std::string problem_of(std::string_view text, std::size_t depth = max_depth) {
  const auto json = parse_json(text, depth);
  return json ? "parsed as " + json->dump() : json.error();
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

TEST(ParseJson, KeepsWhatItReadsInItsOrder) {
  const auto* const text =
      R"({"z":1,"a":[true,false,null,-1,2.5,"\u00e9\ud83d\ude00\n",{}],"m":{"y":{},"b":[]}})";
  const auto json = parse_json(text);
  ASSERT_TRUE(json) << json.error();
  EXPECT_EQ(*json, Json::parse(text));
  EXPECT_EQ(json->dump(), Json::parse(text).dump());
}

TEST(ParseJson, TakesEveryKindOfValueAndSpaceAroundIt) {
  for (const auto* text : {"null", "true", "0", "-0", "1e3", "\"\"", "[]", "{}"}) {
    const auto json = parse_json(" \t"s + text + "\r\n");
    ASSERT_TRUE(json) << text << ": " << json.error();
    EXPECT_EQ(*json, Json::parse(text));
  }
}

TEST(ParseJson, KeepsIntegersExactly) {
  EXPECT_EQ(parse_json("18446744073709551615")->get<std::uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(parse_json("-9223372036854775808")->get<std::int64_t>(), INT64_MIN);
  EXPECT_TRUE(parse_json("18446744073709551616")->is_number_float());
}

TEST(ParseJson, DepthIsBounded) {
  EXPECT_TRUE(parse_json(repeat("[", 32) + repeat("]", 32)));
  EXPECT_EQ(problem_of(repeat("[", 33) + repeat("]", 33)), "byte 33: nested deeper than 32 levels");
  EXPECT_EQ(problem_of(repeat("{\"a\":", 3), 2), "byte 11: nested deeper than 2 levels");
  EXPECT_EQ(problem_of(repeat("[", 100000)), "byte 33: nested deeper than 32 levels");
  EXPECT_TRUE(parse_json(repeat("[", 100000) + repeat("]", 100000), 100000));
}

TEST(ParseJson, AKeyStandsOnceInAnObject) {
  EXPECT_EQ(problem_of(R"({"a":1,"b":2,"a":3})"),
            R"(byte 19: the key "a" stands twice in the object that ends here)");
  EXPECT_EQ(problem_of(R"({"a":{"x":1,"\u0078":2}})"),
            R"(byte 23: the key "x" stands twice in the object that ends here)");
  EXPECT_TRUE(parse_json(R"([{"a":1},{"a":1,"b":{"a":1}}])"));
}

TEST(ParseJson, NumbersThatNoDoubleHoldsAreRefused) {
  EXPECT_EQ(problem_of(R"({"a":1e999})"), "byte 11: a number that is too large");
  EXPECT_EQ(problem_of("-1e999"), "byte 6: a number that is too large");
  EXPECT_EQ(parse_json("1e-999")->get<double>(), 0);
  for (const auto* text : {"NaN", "Infinity", "01", "+1", ".5", "1.", "0x10", "1_000"})
    EXPECT_FALSE(parse_json(text)) << text;
}

TEST(ParseJson, OnlyUtf8IsText) {
  EXPECT_EQ(problem_of("\xEF\xBB\xBF{}"),
            "byte 1: a byte order mark; send plain UTF-8 without one");
  const auto bad = {"\"\xff\""s,     "\"\xc0\xaf\""s, "\"\xed\xa0\x80\""s, "\"\xf5\x80\x80\x80\""s,
                    "\"\xe2\x82\""s, "\"\x80\""s,     "\xff\xfe{}"s};
  for (const auto& text : bad)
    EXPECT_FALSE(parse_json(text));
  EXPECT_TRUE(parse_json("\"\xF0\x9F\x98\x80\""));
}

TEST(ParseJson, LoneSurrogatesAndControlCharactersAreRefused) {
  const auto* const high_alone = "\"\\ud800\"";
  for (const auto* text : {high_alone, R"("\udc00")", R"("\ud800\ud800")", R"("\ud800x")",
                           R"("\u12")", R"("\x41")", "\"a\nb\"", "\"\x1b[0m\""}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_TRUE(parse_json(R"("\u0000\u001b")"));
}

TEST(ParseJson, ANulByteIsNoEnd) {
  EXPECT_EQ(problem_of("{}\0"s), "byte 3: a NUL byte");
  EXPECT_EQ(problem_of("{}\0garbage"s), "byte 3: a NUL byte");
  EXPECT_EQ(problem_of("\0"s), "byte 1: a NUL byte");
  EXPECT_EQ(problem_of("\"a\0b\""s), "byte 3: a NUL byte");
}

TEST(ParseJson, NothingMayFollowOrBeMissing) {
  for (const auto* text : {"",           " ",      "{",   "[1",    "[1,]",  "{\"a\"}", "{\"a\":}",
                           "{\"a\":1,}", "{} {}",  "{}x", "1 2",   "[1 2]", "\"a",     "tru",
                           "// c\n1",    "/*c*/1", "'a'", "{a:1}", "}",     "]",       "[}"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
}

TEST(ParseJson, AProblemSaysWhereAndRepeatsNothingLong) {
  EXPECT_TRUE(problem_of(R"({"a":tru})").starts_with("byte 9: ")) << problem_of(R"({"a":tru})");
  const auto long_text = problem_of("\"" + repeat("x", 60000) + "\n");
  EXPECT_LT(long_text.size(), 300u) << long_text;
  const auto key = "\"" + repeat("k", 60000) + "\":1";
  EXPECT_LT(problem_of("{" + key + "," + key + "}").size(), 200u);
}

// With a comparison of every key with every other these take minutes.
TEST(ParseJson, ManyKeysCostNoSquare) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i)
    text += "\"" + std::to_string(i) + "\":0,";
  const auto start = std::chrono::steady_clock::now();
  const auto json = parse_json(text + "\"x\":0}");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
  ASSERT_TRUE(json);
  EXPECT_EQ(json->size(), 200001u);
}

}  // namespace
}  // namespace espalier::ipc
