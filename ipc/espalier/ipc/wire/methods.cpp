#include "espalier/ipc/wire/methods.hpp"

#include "espalier/ipc/wire/nearest.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

constexpr std::uint64_t read_ms = 5000;
constexpr std::uint64_t command_ms = 10000;

constexpr MethodInfo open_to_all(std::string_view name, std::string_view params,
                                 std::string_view result) {
  return {name, {}, false, read_ms, params, result};
}
constexpr MethodInfo read(std::string_view name, std::string_view params, std::string_view result) {
  return {name, MethodClass::read, false, read_ms, params, result};
}
constexpr MethodInfo command(std::string_view name, MethodClass right = MethodClass::write) {
  return {name, right, true, command_ms, "command_params", "command_answer"};
}
constexpr MethodInfo dangerous(std::string_view name) {
  return command(name, MethodClass::dangerous);
}

constexpr std::array all{
    open_to_all("hello", "hello_params", "hello_result"),
    open_to_all("ping", "nothing", "ping_result"),
    read("health", "nothing", "health_result"),
    read("state", "state_params", "state_result"),
    read("state.subscribe", "state_subscribe_params", "state_subscribe_result"),
    read("events.subscribe", "events_subscribe_params", "subscribe_result"),
    read("events.query", "events_query_params", "events_page"),
    read("logs.tail", "logs_tail_params", "logs_tail_result"),
    read("unsubscribe", "unsubscribe_params", "nothing"),
    read("why", "path_params", "why_result"),
    read("pipelines", "pipelines_params", "pipelines_result"),
    // Who did what is for those who may do something.
    MethodInfo{"audit.query", MethodClass::write, false, read_ms, "audit_query_params",
               "audit_page"},
    command("command.start_child"),
    command("command.stop_child"),
    command("command.restart_child"),
    command("command.pause_child"),
    command("command.resume_child"),
    command("command.quarantine_child"),
    command("command.reset_child"),
    command("command.reset_group"),
    command("command.scale_pool"),
    dangerous("command.add_child"),
    dangerous("command.remove_child"),
    dangerous("command.set_policy"),
    dangerous("command.reload"),
    dangerous("command.shutdown_tree"),
};

constexpr std::array of_a_relay{
    open_to_all("register", "register_params", "register_result"),
    open_to_all("heartbeat", "heartbeat_params", "nothing"),
    open_to_all("unregister", "heartbeat_params", "nothing"),
};

}  // namespace

std::span<const MethodInfo> methods() {
  return all;
}

std::span<const MethodInfo> relay_methods() {
  return of_a_relay;
}

const MethodInfo* find_method(std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const MethodInfo& x) { return x.name == name; });
  return found == all.end() ? nullptr : &*found;
}

WireError unknown_method(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& method : all)
    names.push_back(method.name);
  WireError error{ErrorCode::unknown_method, Stage::parsing};
  error.message = "there is no method " + in_quotes(name) + did_you_mean(name, names) +
                  "; `hello` lists them under capabilities";
  return error;
}

}  // namespace espalier::ipc
