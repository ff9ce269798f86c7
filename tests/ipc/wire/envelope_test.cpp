#include "espalier/ipc/wire/envelope.hpp"

#include "espalier/ipc/wire/codec.hpp"

#include <gtest/gtest.h>

namespace espalier::ipc {
namespace {

using namespace std::string_literals;

expected<Request, WireError> read(std::string_view text) {
  return read_request(*parse_json(text));
}

TEST(Envelope, ARequestIsRead) {
  const auto request = read(R"({"request_id":"a\"1","method":"state","params":{"depth":1}})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->id, "a\"1");
  EXPECT_EQ(request->id_json, R"("a\"1")");
  EXPECT_EQ(request->method, "state");
  EXPECT_EQ(request->params.dump(), R"({"depth":1})");
}

TEST(Envelope, AnIdMayBeANumberAndParamsMayBeLeftOut) {
  const auto request = read(R"({"method":"ping","request_id":9007199254740991})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->id, "9007199254740991");
  EXPECT_EQ(request->id_json, "9007199254740991");
  EXPECT_EQ(request->params, Json::object());
}

TEST(Envelope, IdsAreBounded) {
  EXPECT_TRUE(is_id_text(std::string(128, 'x')));
  EXPECT_TRUE(is_id_text("\xC3\xA9 \xE4\xBD\xA0"));
  const auto bad = {std::string{}, std::string(129, 'x'), "a\nb"s, "\0"s, "\x7f"s, "\xC2\x9B"s};
  for (const auto& id : bad)
    EXPECT_FALSE(is_id_text(id));
  for (const auto* id : {"null", "-1", "1.5", "9007199254740992", "18446744073709551616", "true",
                         "[]", "{}", "\"\"", R"("\u0000")", R"("\u009b")"}) {
    const auto request =
        read(R"({"request_id":)" + std::string(id) + R"(,"method":"ping","params":{}})");
    ASSERT_FALSE(request) << id;
    EXPECT_NE(request.error().message.find("request_id must be"), std::string::npos);
  }
}

TEST(Envelope, EveryRefusalSaysWhatIsDue) {
  const struct {
    const char* text;
    const char* word;
  } wrong[] = {
      {"[]", "a request is an object"},
      {"7", "a request is an object"},
      {"{}", "request_id must be"},
      {R"({"request_id":"1"})", "method must be"},
      {R"({"request_id":"1","method":7})", "method must be"},
      {R"({"request_id":"1","method":"ping","params":[]})", "params must be an object"},
      {R"({"request_id":"1","method":"ping","params":null})", "params must be an object"},
      {R"({"request_id":"1","metod":"ping"})", "no field \"metod\" (did you mean method?)"},
      {R"({"request_id":"1","method":"ping","token":"x"})",
       "no field \"token\"; it has request_id, method, params"},
  };
  for (const auto& [text, word] : wrong) {
    const auto request = read(text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(request.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(request.error().stage, Stage::parsing);
    EXPECT_NE(request.error().message.find(word), std::string::npos) << request.error().message;
  }
}

TEST(Envelope, LinesReadLikeThis) {
  EXPECT_EQ(request_line("1", "state", R"({"depth":1})"),
            R"({"request_id":"1","method":"state","params":{"depth":1}})");
  EXPECT_EQ(ok_line("7", "{}"), R"({"request_id":7,"ok":true,"result":{}})");
  const WireError error{ErrorCode::rate_limited, Stage::rate, "too\nmany", true, 20};
  EXPECT_EQ(error_line("\"a\"", error, "shop"),
            R"({"request_id":"a","ok":false,"error":{"code":"rate_limited","stage":"rate",)"
            R"("message":"too\nmany","retryable":true,"target_id":"shop","retry_after_ms":20}})");
  EXPECT_EQ(error_line("null", {ErrorCode::invalid_json, Stage::parsing, "x"}, ""),
            R"({"request_id":null,"ok":false,"error":{"code":"invalid_json","stage":"parsing",)"
            R"("message":"x","retryable":false}})");
}

TEST(Envelope, ALineThatWasMadeIsRead) {
  const auto hostile = "\"\n\xff\\"s;
  auto json = parse_json(request_line("1", hostile, "{}"));
  ASSERT_TRUE(json) << json.error();
  EXPECT_EQ(read_request(std::move(*json))->method, "\"\n\xEF\xBF\xBD\\");
}

TEST(Envelope, AnErrorComesBackAsItWas) {
  const WireError error{ErrorCode::gone, Stage::fencing, "it ended", true, 5};
  const auto back = error_of(body_of(error, "shop"));
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.stage, error.stage);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.retryable, error.retryable);
  EXPECT_EQ(back.retry_after_ms, error.retry_after_ms);
}

}  // namespace
}  // namespace espalier::ipc
