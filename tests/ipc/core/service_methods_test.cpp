// Every method with every sort of peer, and with every parameter missing, unknown and of a wrong
// type. The table of methods says which there are; a method without a sample here fails.
#include "espalier/ipc/wire/methods.hpp"
#include "ipc/support/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

using testing_support::Conversation;
using Object = nlohmann::json;

struct Sample {
  Object needed = Object::object();    ///< What the method cannot do without.
  std::vector<std::string> also = {};  ///< Names of the other parameters.
};

Sample command(Object own = Object::object(), bool has_path = true) {
  own["requested_by"] = "ann";
  own["reason"] = "a test";
  if (has_path && !own.contains("path")) own["path"] = "/db";
  return {own,
          {"command_id", "confirmed", "expected_generation", "dry_run", "timeout_ms", "size",
           "group", "text"}};
}

const std::map<std::string, Sample>& samples() {
  static const std::map<std::string, Sample> all{
      {"hello", {Object::object(), {"client"}}},
      {"ping", {}},
      {"health", {}},
      {"pipelines", {Object::object(), {"path"}}},
      {"state", {Object::object(), {"path", "depth", "include"}}},
      {"state.subscribe", {Object::object(), {"path", "depth", "include", "interval_ms", "mode"}}},
      {"events.subscribe", {Object::object(), {"filter", "from", "replay"}}},
      {"events.query", {Object::object(), {"filter", "before", "after", "limit"}}},
      {"logs.tail", {Object::object(), {"path", "level", "lines", "follow"}}},
      {"unsubscribe", {{{"subscription_id", "s1"}}, {}}},
      {"why", {{{"path", "/api"}}, {}}},
      {"audit.query", {Object::object(), {"limit"}}},
      {"command.start_child", command()},
      {"command.stop_child", command()},
      {"command.restart_child", command()},
      {"command.pause_child", command()},
      {"command.resume_child", command()},
      {"command.quarantine_child", command()},
      {"command.reset_child", command()},
      {"command.reset_group", command({{"group", "g"}})},
      {"command.scale_pool", command({{"path", "/pool"}, {"size", 2}})},
      {"command.add_child", command({{"path", "/pool"}})},
      {"command.remove_child", command()},
      {"command.set_policy", command({{"child", Object::object()}})},
      {"command.reload", command(Object::object(), false)},
      {"command.shutdown_tree", command(Object::object(), false)},
  };
  return all;
}

class ServiceMethods : public testing::TestWithParam<std::string> {
 protected:
  ServiceMethods() {
    auto& rules = talk_.spec.security;
    rules.read.uids = {1001};
    rules.write.uids = {1002};
    rules.dangerous.uids = {1003};
  }
  [[nodiscard]] const MethodInfo& method() const { return *find_method(GetParam()); }
  [[nodiscard]] Object params() const {
    auto params = samples().at(GetParam()).needed;
    if (method().is_dangerous()) params["confirmed"] = true;
    return params;
  }
  Object ask(ConnectionId id, const Object& params) {
    const Object request{{"request_id", ++asked_}, {"method", GetParam()}, {"params", params}};
    const auto lines = talk_.ask(id, request.dump());
    if (lines.empty()) return {};
    const auto answer = Object::parse(lines.front());
    EXPECT_EQ(answer["request_id"], asked_);
    return answer;
  }
  Object ask(std::uint32_t uid, const Object& params) {
    const auto id = talk_.open({.pid = 1, .uid = uid, .gid = uid});
    return ask(id, params);
  }
  void expect_invalid(const Object& params, const std::string& field) {
    const auto answer = ask(owner_ ? *owner_ : *(owner_ = talk_.open()), params);
    ASSERT_EQ(answer["ok"], false) << params;
    EXPECT_EQ(answer["error"]["code"], "invalid_params") << params << answer;
    EXPECT_EQ(answer["error"]["stage"], "parameters");
    EXPECT_THAT(answer["error"]["message"].get<std::string>(), testing::HasSubstr(field));
  }

  Conversation talk_ = {};
  std::optional<ConnectionId> owner_ = {};
  int asked_ = 0;
};

TEST_P(ServiceMethods, IsForThoseWhoMay) {
  const std::map<std::uint32_t, int> level{{1001, 0}, {1002, 1}, {1003, 2}, {500, 2}, {0, 2}};
  const int needed = method().right ? static_cast<int>(*method().right) : -1;
  for (const auto& [uid, has] : level) {
    const auto before = talk_.target.executed.size();
    const auto answer = ask(uid, params());
    if (has >= needed) {
      EXPECT_TRUE(answer["ok"] == true || answer["error"]["code"] == "not_found") << answer;
    } else {
      EXPECT_EQ(answer["error"]["code"], "forbidden") << answer;
      EXPECT_EQ(answer["error"]["stage"], "authorisation");
    }
    const bool runs = has >= needed && method().is_command;
    EXPECT_EQ(talk_.target.executed.size(), before + (runs ? 1U : 0U)) << "uid " << uid;
  }
  EXPECT_FALSE(talk_.admit({.pid = 1, .uid = 1004, .gid = 1004}).id);
}

TEST_P(ServiceMethods, RefusesWhatIsMissing) {
  for (const auto& [name, value] : samples().at(GetParam()).needed.items()) {
    auto without = params();
    without.erase(name);
    expect_invalid(without, name);
  }
  EXPECT_TRUE(talk_.target.executed.empty());
}

TEST_P(ServiceMethods, RefusesWhatItDoesNotKnow) {
  auto more = params();
  more["pathh"] = "/db";
  expect_invalid(more, "pathh");
  EXPECT_TRUE(talk_.target.executed.empty());
}

TEST_P(ServiceMethods, RefusesWrongTypes) {
  auto names = samples().at(GetParam()).also;
  for (const auto& [name, value] : samples().at(GetParam()).needed.items())
    names.push_back(name);
  for (const auto& name : names) {
    for (const auto& wrong : {Object(Object::array({Object::array()})), Object(-1.5), Object()}) {
      auto odd = params();
      odd[name] = wrong;
      expect_invalid(odd, name);
    }
  }
  EXPECT_TRUE(talk_.target.executed.empty());
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& method : methods())
    all.emplace_back(method.name);
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, ServiceMethods, testing::ValuesIn(names()), [](const auto& x) {
  auto name = x.param;
  for (auto& c : name)
    if (c == '.') c = '_';
  return name;
});

}  // namespace
}  // namespace espalier::ipc
