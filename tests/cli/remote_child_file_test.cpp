#include "espalier/cli/remote/child_file.hpp"
#include "espalier/ipc/wire/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ChildFile, YamlBecomesJsonWithTheTypesThatWereMeant) {
  const auto json = child_json(
      "name: w1\ncommand: [sleep, '5']\npolicy: {restart: permanent, backoff: {initial: 100ms}}\n"
      "stop_signal: 15\nratio: 0.5\ncritical: true\nnothing: ~\nquoted: \"007\"\nword: 1e\n",
      "w.yaml");
  ASSERT_TRUE(json) << json.error();
  EXPECT_EQ(*json, R"({"name":"w1","command":["sleep","5"],"policy":{"restart":"permanent",)"
                   R"("backoff":{"initial":"100ms"}},"stop_signal":15,"ratio":0.5,"critical":true,)"
                   R"("nothing":null,"quoted":"007","word":"1e"})");
}

TEST(ChildFile, JsonIsTakenAsItIs) {
  const std::string text = R"({"name":"w","env":{"A":"1"},"n":-3})";
  EXPECT_EQ(child_json(text, "w.json").value(), text);
}

TEST(ChildFile, AFaultHasItsPlace) {
  EXPECT_THAT(child_json("name: a\nname: b\n", "w.yaml").error(), StartsWith("w.yaml:2:1: 'name'"));
  EXPECT_THAT(child_json("name: [a\n", "w.yaml").error(), StartsWith("w.yaml:"));
  EXPECT_THAT(child_json("- a\n", "w.yaml").error(), HasSubstr("this is no child"));
  EXPECT_THAT(child_json("", "-").error(), HasSubstr("this is no child"));
  EXPECT_THAT(child_json("? [a]\n: b\n", "w.yaml").error(), HasSubstr("a key must be a word"));
}

TEST(ChildFile, DepthAndAnchorsAreBounded) {
  EXPECT_THAT(child_json("a: " + std::string(200, '[') + std::string(200, ']'), "w").error(),
              HasSubstr("nested too deep"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k)
      bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_THAT(child_json(bomb, "w").error(), HasSubstr("too much for one child"));
}

TEST(ChildFile, FileAndPathAreCutAtTheLastColonBeforeAPath) {
  EXPECT_EQ(split_file_path("w.yaml:/workers").value(),
            std::pair(std::string("w.yaml"), std::string("/workers")));
  EXPECT_EQ(split_file_path("/tmp/a:/b:/").value(),
            std::pair(std::string("/tmp/a:/b"), std::string("/")));
  for (const char* bad : {"w.yaml", "w.yaml:workers", ":/workers", ""}) {
    EXPECT_THAT(split_file_path(bad).error(), HasSubstr("worker.yaml:/workers")) << bad;
  }
}

TEST(ChildFile, AFileThatCannotBeReadSaysWhy) {
  EXPECT_THAT(text_of_file("/no/such/file").error(), HasSubstr("No such file"));
  EXPECT_THAT(text_of_file("/").error(), HasSubstr("directory"));
}

}  // namespace
}  // namespace espalier::cli
