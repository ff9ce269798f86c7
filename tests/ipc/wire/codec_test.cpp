#include "espalier/ipc/wire/codec.hpp"

#include "espalier/ipc/wire/internal/all_messages.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "ipc/wire/filled.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace espalier::ipc {
namespace {

using namespace std::string_literals;

template <Message T>
std::string text_of(const T& message) {
  std::string out;
  encode(out, message);
  return out;
}

template <Message T>
std::string problem_of(std::string_view text, Unknown unknown = Unknown::refuse) {
  const auto json = parse_json(text);
  if (!json) return "not JSON: " + json.error();
  const auto message = decode<T>(*json, unknown);
  return message ? "read" : message.error();
}

struct Numbers {
  std::uint8_t byte = 0;
  std::int8_t small = 0;
  std::int64_t big = 0;
  std::uint64_t natural = 0;
  double ratio = 0;
  static void describe(auto& self, auto& visit) {
    visit("byte", self.byte, "0 to 255.");
    visit("small", self.small, "-128 to 127.");
    visit("big", self.big, "Any.");
    visit("natural", self.natural, "Any from 0.");
    visit("ratio", self.ratio, "Any number.");
  }
};

struct Leaf {
  std::optional<std::vector<std::string>> types = {};
  std::map<std::string, std::vector<Timestamp>> times = {};
  static void describe(auto& self, auto& visit) {
    visit("types", self.types, "Some.");
    visit("times", self.times, "Some.");
  }
};
struct Branch {
  std::vector<Leaf> leaves = {};
  std::optional<Leaf> filter = {};
  RawJson raw = {};
  static void describe(auto& self, auto& visit) {
    visit("leaves", self.leaves, "Some.");
    visit("filter", self.filter, "Maybe.");
    visit("raw", self.raw, "Anything.");
  }
};

template <Message T>
void expect_round_trip(const T& message, const char* name) {
  const auto text = text_of(message);
  const auto json = parse_json(text);
  ASSERT_TRUE(json) << name << ": " << json.error();
  const auto read = decode<T>(*json, Unknown::refuse);
  ASSERT_TRUE(read) << name << ": " << read.error();
  EXPECT_EQ(text_of(*read), text) << name;
}

TEST(Codec, EveryMessageComesBackAsItWas) {
  internal::for_each_message([]<Message T>(const char* name) {
    expect_round_trip(T{}, name);
    expect_round_trip(filled<T>(), name);
  });
}

TEST(Codec, FieldsStandInTheOrderOfTheirDescription) {
  ExitInfo exit{"failed", "recoverable", 1, {}, "no space"};
  EXPECT_EQ(text_of(exit),
            R"({"kind":"failed","category":"recoverable","code":1,"message":"no space"})");
  internal::for_each_message([]<Message T>(const char* name) {
    std::vector<std::string> keys;
    const auto json = Json::parse(text_of(filled<T>()));
    for (const auto& [key, value] : json.items())
      keys.push_back(key);
    const auto& described = internal::field_names<T>();
    EXPECT_EQ(keys, std::vector<std::string>(described.begin(), described.end())) << name;
  });
}

TEST(Codec, FieldsMayComeInAnyOrder) {
  const auto cursor = decode<Cursor>(Json::parse(R"({"sequence":2,"epoch":1})"), Unknown::refuse);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->epoch, 1u);
  EXPECT_EQ(cursor->sequence, 2u);
}

TEST(Codec, HostileTextStaysOneLineOfUtf8) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i)
    every_byte += static_cast<char>(i);
  const auto hostile = {every_byte,
                        "\"}\n{\"ok\":true}"s,
                        "\xed\xa0\x80"s,
                        "\xf0\x9f\x98"s,
                        "\xe2\x80\xa8\xe2\x80\xa9"s,
                        "\x1b[2J\x7f\xc2\x9b"s,
                        "\\"s,
                        "\\u0000"s};
  for (const auto& text : hostile) {
    StateDeltaPush push;
    push.subscription_id = text;
    push.removed = {text, text};
    push.counts[text] = 1;
    const auto line = text_of(push);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    const auto json = Json::parse(line, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << line;
    EXPECT_EQ(json.size(), 8u);
    EXPECT_TRUE(parse_json(line));
  }
}

TEST(Codec, NumbersAreWrittenShortAndReadBackTheSame) {
  Numbers numbers{255, -128, -9007199254740991, 9007199254740991, 0.1};
  EXPECT_EQ(text_of(numbers), R"({"byte":255,"small":-128,"big":-9007199254740991,)"
                              R"("natural":9007199254740991,"ratio":0.1})");
  expect_round_trip(numbers, "numbers");
  for (const double x : {0.0, -0.0, 1.0, 1e300, 5e-324, 1.0 / 3, 123456789.125, 1e21}) {
    numbers.ratio = x;
    const auto read = decode<Numbers>(*parse_json(text_of(numbers)), Unknown::refuse);
    ASSERT_TRUE(read) << x << read.error();
    EXPECT_EQ(read->ratio, x);
  }
}

TEST(Codec, WhatIsNoNumberInJsonIsWrittenAsOne) {
  Numbers numbers;
  for (const double x : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    numbers.ratio = x;
    EXPECT_TRUE(std::isfinite(Json::parse(text_of(numbers))["ratio"].get<double>()));
  }
}

std::string number_problem(std::string_view name, std::string_view value) {
  auto json = Json::parse(R"({"byte":0,"small":0,"big":0,"natural":0,"ratio":0})");
  json[std::string(name)] = *parse_json(value);
  return problem_of<Numbers>(json.dump());
}

TEST(Codec, IntegersAreNeverNarrowed) {
  EXPECT_EQ(number_problem("byte", "256"),
            "params.byte: expected a whole number from 0 to 255, not the number 256");
  EXPECT_EQ(number_problem("byte", "-1"),
            "params.byte: expected a whole number from 0 to 255, not the number -1");
  EXPECT_EQ(number_problem("small", "-129"),
            "params.small: expected a whole number from -128 to 127, not the number -129");
  EXPECT_EQ(number_problem("natural", "1.5"),
            "params.natural: expected a whole number from 0 to 9007199254740991, "
            "not the number 1.5");
  for (const auto* value : {"9007199254740992", "18446744073709551615", "18446744073709551616",
                            "-1", "1.0", "1e3", "\"1\"", "true", "null", "[]", "{}"}) {
    EXPECT_NE(number_problem("natural", value), "read") << value;
  }
  for (const auto* value : {"9007199254740992", "-9007199254740992", "-9223372036854775808"})
    EXPECT_NE(number_problem("big", value), "read") << value;
  for (const auto* value : {"0", "-0", "9007199254740991"})
    EXPECT_EQ(number_problem("natural", value), "read") << value;
  for (const auto* value : {"1", "-1", "1.5", "1e3"})
    EXPECT_EQ(number_problem("ratio", value), "read") << value;
  EXPECT_EQ(number_problem("ratio", "\"1\""),
            "params.ratio: expected a number, not the text \"1\"");
}

TEST(Codec, AProblemNamesItsPlace) {
  EXPECT_EQ(problem_of<Branch>(R"({"leaves":[],"filter":{"types":["a","b",3]},"raw":0})"),
            "params.filter.types[2]: expected text, not the number 3");
  EXPECT_EQ(problem_of<Branch>(R"({"leaves":[{"times":{}},{"times":{"x":["today"]}}],"raw":0})"),
            "params.leaves[1].times.x[0]: expected a time like 2026-01-31T12:03:07.001234Z, "
            "not the text \"today\"");
  EXPECT_EQ(problem_of<Branch>("[]"), "params: expected an object, not a list");
  EXPECT_EQ(problem_of<Branch>(R"({"leaves":{},"raw":0})"),
            "params.leaves: expected a list, not an object");
  EXPECT_EQ(problem_of<Branch>(R"({"leaves":[null],"raw":0})"),
            "params.leaves[0]: expected an object, not null");
  const auto bare = decode<PathParams>(Json(3), Unknown::refuse, "");
  EXPECT_EQ(bare.error(), "expected an object, not the number 3");
}

TEST(Codec, MissingFieldsAreNamed) {
  EXPECT_EQ(problem_of<PathParams>("{}"), "params.path: this field is missing");
  EXPECT_EQ(problem_of<PathParams>(R"({"path":null})"), "params.path: expected text, not null");
  EXPECT_EQ(problem_of<StateParams>("{}"), "read");
  EXPECT_EQ(problem_of<StateParams>(R"({"path":null})"), "params.path: expected text, not null");
}

TEST(Codec, UnknownFieldsAreRefusedInRequestsAndPassedOverElsewhere) {
  EXPECT_EQ(problem_of<StateParams>(R"({"dept":1})"),
            "params: there is no field \"dept\" (did you mean depth?); "
            "there are path, depth, include");
  EXPECT_EQ(problem_of<StateParams>(R"({"colour":1})"),
            "params: there is no field \"colour\"; there are path, depth, include");
  EXPECT_EQ(problem_of<Nothing>(R"({"x":1})"), "params: there is no field \"x\"; it takes none");
  EXPECT_EQ(problem_of<EventsSubscribeParams>(R"({"filter":{"type":[]}})"),
            "params.filter: there is no field \"type\" (did you mean types?); "
            "there are path, types, min_severity");
  // The misspelt name is said, not that the right one is missing.
  EXPECT_EQ(problem_of<PathParams>(R"({"pth":"/"})"),
            "params: there is no field \"pth\" (did you mean path?); there are path");
  EXPECT_EQ(problem_of<StateParams>(R"({"colour":1,"depth":2})", Unknown::ignore), "read");
}

TEST(Codec, WordsAreListedWhereOneIsWrong) {
  EXPECT_EQ(problem_of<StateSubscribeParams>(R"({"mode":"dleta"})"),
            "params.mode: expected one of snapshot, delta, not the text \"dleta\"");
  EXPECT_EQ(problem_of<StateSubscribeParams>(R"({"mode":0})"),
            "params.mode: expected one of snapshot, delta, not the number 0");
  EXPECT_EQ(problem_of<StateSubscribeParams>(R"({"mode":"Delta"})").find("read"),
            std::string::npos);
  EXPECT_EQ(problem_of<StateSubscribeParams>(R"({"mode":"delta"})"), "read");
}

TEST(Codec, BooleansAreNotGuessed) {
  const auto with = [](const std::string& x) {
    return problem_of<CommandParams>(R"({"requested_by":"me","reason":"","confirmed":)" + x + "}");
  };
  EXPECT_EQ(with("true"), "read");
  for (const auto* x : {"1", "\"true\"", "null", "[]"})
    EXPECT_TRUE(with(x).starts_with("params.confirmed: expected true or false")) << with(x);
}

TEST(Codec, RawJsonPassesThrough) {
  const auto* const text = R"({"z":[1,2.5,{"y":null}],"a":"\u001b"})";
  const auto branch = decode<Branch>(
      *parse_json(R"({"leaves":[],"raw":)" + std::string(text) + "}"), Unknown::refuse);
  ASSERT_TRUE(branch) << branch.error();
  EXPECT_EQ(branch->raw.text, text);
  EXPECT_EQ(text_of(*branch), R"({"leaves":[],"raw":)" + std::string(text) + "}");
}

TEST(Codec, ALongStrangerIsCutInASentence) {
  const auto problem = problem_of<StateParams>("{\"" + std::string(50000, 'x') + "\":1}");
  EXPECT_LT(problem.size(), 200u);
  EXPECT_LT(problem_of<Numbers>("{\"byte\":\"" + std::string(50000, 'x') + "\"}").size(), 200u);
  const auto deep = "{\"leaves\":[{\"times\":{\"" + std::string(50000, 'x') + "\":1}}],\"raw\":0}";
  EXPECT_LT(problem_of<Branch>(deep).size(), 200u);
}

}  // namespace
}  // namespace espalier::ipc
