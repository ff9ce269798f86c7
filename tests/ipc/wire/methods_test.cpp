#include "espalier/ipc/wire/methods.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace espalier::ipc {
namespace {

TEST(Methods, EachIsFoundByItsNameAndOnlyByIt) {
  std::set<std::string_view> names;
  for (const auto& method : methods()) {
    EXPECT_TRUE(names.insert(method.name).second) << method.name;
    EXPECT_EQ(find_method(method.name), &method);
  }
  for (const auto* name : {"", "Hello", "hello ", "command", "command.", "state.subscribe.x",
                           "register", "heartbeat", "unregister"}) {
    EXPECT_EQ(find_method(name), nullptr) << name;
  }
}

TEST(Methods, WhatIsDangerousIsWhatTheDesignSays) {
  std::set<std::string_view> dangerous;
  for (const auto& method : methods()) {
    if (method.is_dangerous()) dangerous.insert(method.name);
  }
  EXPECT_EQ(dangerous, (std::set<std::string_view>{"command.add_child", "command.remove_child",
                                                   "command.reload", "command.set_policy",
                                                   "command.shutdown_tree"}));
}

TEST(Methods, OnlyHelloAndPingNeedNoRight) {
  std::set<std::string_view> free;
  for (const auto& method : methods()) {
    if (!method.right) free.insert(method.name);
  }
  EXPECT_EQ(free, (std::set<std::string_view>{"hello", "ping"}));
}

TEST(Methods, ExactlyTheCommandsMayChangeSomething) {
  for (const auto& method : methods()) {
    EXPECT_EQ(method.is_command, method.name.starts_with("command.")) << method.name;
    EXPECT_GT(method.timeout_ms, 0u) << method.name;
    if (!method.is_command) continue;
    EXPECT_NE(method.right.value_or(MethodClass::read), MethodClass::read) << method.name;
    EXPECT_EQ(method.params, "command_params");
    EXPECT_EQ(method.result, "command_answer");
  }
  EXPECT_EQ(find_method("audit.query")->right, MethodClass::write);
}

TEST(Methods, AnUnknownOneIsToldItsNearest) {
  const auto error = unknown_method("command.restart_chid");
  EXPECT_EQ(error.code, ErrorCode::unknown_method);
  EXPECT_EQ(error.message,
            "there is no method \"command.restart_chid\" (did you mean command.restart_child?); "
            "`hello` lists them under capabilities");
  EXPECT_EQ(unknown_method("\x1b[2J").message,
            "there is no method \"\\u001b[2J\"; `hello` lists them under capabilities");
  EXPECT_LT(unknown_method(std::string(60000, 'x')).message.size(), 200u);
}

}  // namespace
}  // namespace espalier::ipc
