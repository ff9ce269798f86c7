#pragma once

#include "espalier/ipc/wire/messages/common.hpp"
#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct LogsTailParams {
  std::optional<std::string> path = {};
  std::optional<sv::Severity> level = {};
  std::optional<std::uint64_t> lines = {};
  std::optional<bool> follow = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "A node and all below it, or a pattern; left out: all.");
    visit("level", self.level, "Of the supervisor's own lines: info (left out), debug, ...");
    visit("lines", self.lines, "So many of the last, 0 to 1000; 20.");
    visit("follow", self.follow, "Go on with new ones.");
  }
};

struct LogLine {
  Timestamp at = {};
  std::string path = {};
  std::uint64_t generation = 0;
  LogStream stream = LogStream::out;
  sv::Severity level = sv::Severity::info;
  std::string message = {};
  std::optional<bool> truncated = {};
  static void describe(auto& self, auto& visit) {
    visit("at", self.at, "When it was read.");
    visit("path", self.path, "Whose it is.");
    visit("generation", self.generation, "Attempt that wrote it; 0: none.");
    visit("stream", self.stream, "stdout, stderr, or supervisor.");
    visit("level", self.level, "Of the supervisor's own lines; info for output.");
    visit("message", self.message, "The line.");
    visit("truncated", self.truncated, "It was longer.");
  }
};

struct LogsTailResult {
  std::vector<LogLine> lines = {};
  std::optional<std::string> subscription_id = {};
  static void describe(auto& self, auto& visit) {
    visit("lines", self.lines, "Oldest first.");
    visit("subscription_id", self.subscription_id, "With `follow`.");
  }
};

struct LogPush {
  std::string type = "log";
  std::string subscription_id = {};
  LogLine line = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "log");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("line", self.line, "The line.");
  }
};

struct UnsubscribeParams {
  std::string subscription_id = {};
  static void describe(auto& self, auto& visit) {
    visit("subscription_id", self.subscription_id, "As it was given.");
  }
};

/// Pushed once no more lines come: the tree has ended.
struct EndPush {
  std::string type = "end";
  std::string subscription_id = {};
  std::string reason = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "end");
    visit("subscription_id", self.subscription_id, "Whose it was.");
    visit("reason", self.reason, "Why.");
  }
};

/// Pushed before the target closes a connection of its own will.
struct ByePush {
  std::string type = "bye";
  ErrorBody error = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "bye");
    visit("error", self.error, "Why the connection is closed.");
  }
};

}  // namespace espalier::ipc
