#include "espalier/cli/remote/redact.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace espalier::cli {
namespace {

TEST(Redact, HidesWhatStandsBehindATellingName) {
  EXPECT_EQ(redact("connect password=hunter2 host=db"), "connect password=*** host=db");
  EXPECT_EQ(redact("DB_PASSWORD: hunter2"), "DB_PASSWORD: ***");
  EXPECT_EQ(redact(R"({"api_key": "a b c", "n": 1})"), R"({"api_key": ***, "n": 1})");
  EXPECT_EQ(redact("run --auth-token abc --fast"), "run --auth-token *** --fast");
  EXPECT_EQ(redact("run --auth-token=abc --fast"), "run --auth-token=*** --fast");
  EXPECT_EQ(redact("command: [db, --password, abc]"), "command: [db, --password, ***]");
  EXPECT_EQ(redact(R"(["db", "--password", "a b"])"), R"(["db", "--password", ***])");
  EXPECT_EQ(redact("?user=me&token=abc&x=1"), "?user=me&token=***&x=1");
}

TEST(Redact, HidesWhatUrlsAndHeadersCarry) {
  EXPECT_EQ(redact("postgres://me:hunter2@db/shop"), "postgres://***@db/shop");
  EXPECT_EQ(redact("Authorization: Bearer abc.def"), "Authorization: Bearer ***");
  EXPECT_EQ(redact("see http://db/shop?a=b@c"), "see http://db/shop?a=b@c");
}

TEST(Redact, LeavesOtherTextAsItIs) {
  for (const std::string text :
       {"exit code 1 (recoverable)", "the token bucket is empty", "wrong password", "password",
        "secret=", "/token: permanent, signal 9",
        "/db: permanent, exit code 75 -> restart in 1.6 s", ""}) {
    EXPECT_EQ(redact(text), text);
  }
}

TEST(Redact, GoesThroughAllOfADocument) {
  auto json = ipc::Json::parse(
      R"({"nodes":[{"path":"/db","command":["db","--password","x"],"api_token":"y",
          "environment":{"DB_PASSWORD":"z","HOME":"/"},"text":"secret=w"}],"tokens":7,
          "secrets":{"a":"b"}})");
  redact_all(json);
  EXPECT_EQ(json, ipc::Json::parse(
                      R"({"nodes":[{"path":"/db","command":["db","--password","***"],
                          "api_token":"***","environment":{"DB_PASSWORD":"***","HOME":"/"},
                          "text":"secret=***"}],"tokens":7,"secrets":{"a":"b"}})"));
}

}  // namespace
}  // namespace espalier::cli
