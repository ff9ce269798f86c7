#include "espalier/pipeline/declare/json_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace espalier::pipeline {
namespace {

std::string problem_of(const std::string& text) {
  const auto parsed = parse_json(text);
  return parsed ? "none" : parsed.error();
}

TEST(ParseJson, TakesOneValueAndNothingElse) {
  EXPECT_EQ(to_line(*parse_json(" {\"b\": 1, \"a\": [true, null]} \r\n")),
            R"({"b":1,"a":[true,null]})");
  EXPECT_EQ(to_line(*parse_json("3")), "3");
  EXPECT_EQ(problem_of("1 2"), "it is not JSON at column 3");
  EXPECT_EQ(problem_of("  "), "it is empty");
  EXPECT_EQ(problem_of("{\"a\": }"), "it is not JSON at column 7");
  EXPECT_EQ(problem_of("\"\xff\""), "it is not JSON at column 2");
}

TEST(ParseJson, RefusesWhatIsNestedTooDeepInsteadOfEndingTheProgram) {
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(problem_of(deep), "it is nested deeper than 512 levels");
  const std::string in_text = "\"" + std::string(1000, '[') + "\\\"[\"";
  EXPECT_EQ(problem_of(in_text), "none") << "brackets in a text are no nesting";
}

TEST(ToLine, IsAlwaysOneLineOfUtf8) {
  EXPECT_EQ(to_line(Json("a\nb")), R"("a\nb")");
  EXPECT_EQ(to_line(Json("a\xff")), "\"a\xef\xbf\xbd\"");
}

TEST(FieldIn, FindsFieldsByNameByDotsAndByPointer) {
  const auto item = *parse_json(R"({"a": {"b.c": [10, 20], "d": 1}, "e": null})");
  EXPECT_EQ(field_in(item, "a.d")->get<int>(), 1);
  EXPECT_EQ(field_in(item, "/a/b.c/1")->get<int>(), 20);
  EXPECT_EQ(field_in(item, "."), &item);
  EXPECT_TRUE(field_in(item, "e")->is_null());
  EXPECT_EQ(field_in(item, "a.x"), nullptr);
  EXPECT_EQ(field_in(item, "/a/b.c/7"), nullptr);
  EXPECT_EQ(field_in(item, "/a/b.c/x"), nullptr) << "no index, and no exception";
  EXPECT_EQ(field_in(*parse_json("3"), "a"), nullptr);
}

}  // namespace
}  // namespace espalier::pipeline
