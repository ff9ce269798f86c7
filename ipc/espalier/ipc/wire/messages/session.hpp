#pragma once

#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct HelloParams {
  std::optional<std::string> client = {};
  static void describe(auto& self, auto& visit) {
    visit("client", self.client, "Name and version of the program that asks.");
  }
};

struct CommandInfo {
  std::string name = {};
  bool dangerous = false;
  std::uint64_t timeout_ms = 0;
  static void describe(auto& self, auto& visit) {
    visit("name", self.name, "The method.");
    visit("dangerous", self.dangerous, "Needs `confirmed: true`.");
    visit("timeout_ms", self.timeout_ms, "How long it is waited for unless asked otherwise.");
  }
};

struct LimitsInfo {
  std::uint64_t max_line_bytes = 0;
  double requests_per_second = 0;
  std::uint64_t request_burst = 0;
  double replay_window_ms = 0;
  double command_lifetime_ms = 0;
  double idle_timeout_ms = 0;
  std::uint64_t max_queued_bytes = 0;
  std::uint64_t max_queued_events = 0;
  static void describe(auto& self, auto& visit) {
    visit("max_line_bytes", self.max_line_bytes, "Of one request.");
    visit("requests_per_second", self.requests_per_second, "Of one connection.");
    visit("request_burst", self.request_burst, "Requests at once.");
    visit("replay_window_ms", self.replay_window_ms, "A request_id counts as seen so long.");
    visit("command_lifetime_ms", self.command_lifetime_ms, "Answers are kept by command_id.");
    visit("idle_timeout_ms", self.idle_timeout_ms, "Silence that ends a connection; 0: none.");
    visit("max_queued_bytes", self.max_queued_bytes, "That may wait for one reader.");
    visit("max_queued_events", self.max_queued_events, "That may wait for one reader.");
  }
};

struct HelloResult {
  std::string protocol_version = {};
  std::string target_id = {};
  std::string display_name = {};
  std::int64_t pid = 0;
  std::string version = {};
  Timestamp started_at = {};
  std::uint64_t epoch = 0;
  std::vector<std::string> capabilities = {};
  std::vector<CommandInfo> supported_commands = {};
  LimitsInfo limits = {};
  std::vector<MethodClass> allowed = {};
  static void describe(auto& self, auto& visit) {
    visit("protocol_version", self.protocol_version, "Of this protocol.");
    visit("target_id", self.target_id, "Name of the target among all.");
    visit("display_name", self.display_name, "For people.");
    visit("pid", self.pid, "Of the program.");
    visit("version", self.version, "Of the program.");
    visit("started_at", self.started_at, "When the tree was started.");
    visit("epoch", self.epoch, "Of its events; another one after every start.");
    visit("capabilities", self.capabilities, "The methods this target has.");
    visit("supported_commands", self.supported_commands, "Those that change something.");
    visit("limits", self.limits, "What it allows.");
    visit("allowed", self.allowed, "What this peer may do.");
  }
};

struct PingResult {
  Timestamp now = {};
  static void describe(auto& self, auto& visit) { visit("now", self.now, "Clock of the target."); }
};

struct HealthResult {
  sv::HealthReport::State state = sv::HealthReport::State::starting;
  bool alive = true;
  Timestamp since = {};
  std::uint64_t total = 0;
  std::uint64_t ready = 0;
  std::uint64_t unready = 0;
  std::vector<std::string> not_ready = {};
  std::uint64_t restarts = 0;
  std::uint64_t failures = 0;
  std::optional<std::string> reason = {};
  static void describe(auto& self, auto& visit) {
    visit("state", self.state, "How the tree fares.");
    visit("alive", self.alive, "It has not ended.");
    visit("since", self.since, "When this state began.");
    visit("total", self.total, "Children in all.");
    visit("ready", self.ready, "Children that serve.");
    visit("unready", self.unready, "Children that should serve and do not.");
    visit("not_ready", self.not_ready, "Their paths, at most 32.");
    visit("restarts", self.restarts, "Since the start of the tree.");
    visit("failures", self.failures, "Since the start of the tree.");
    visit("reason", self.reason, "Why it ended, if it has.");
  }
};

}  // namespace espalier::ipc
