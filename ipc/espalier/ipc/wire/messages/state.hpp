#pragma once

#include "espalier/ipc/wire/snapshot.hpp"
#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct StateParams {
  std::optional<std::string> path = {};
  std::optional<std::uint64_t> depth = {};
  std::optional<std::vector<std::string>> include = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "The node to begin with; left out: the root.");
    visit("depth", self.depth, "Levels below it; left out: all.");
    visit("include", self.include, "More to tell: `resources`.");
  }
};

struct StateResult {
  Snapshot snapshot = {};
  static void describe(auto& self, auto& visit) { visit("snapshot", self.snapshot, "The tree."); }
};

struct StateSubscribeParams {
  std::optional<std::string> path = {};
  std::optional<std::uint64_t> depth = {};
  std::optional<std::vector<std::string>> include = {};
  std::optional<std::uint64_t> interval_ms = {};
  std::optional<StateMode> mode = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "The node to begin with; left out: the root.");
    visit("depth", self.depth, "Levels below it; left out: all.");
    visit("include", self.include, "More to tell: `resources`.");
    visit("interval_ms", self.interval_ms, "Least time between two lines, 50 to 3600000; 1000.");
    visit("mode", self.mode, "snapshot (left out) or delta.");
  }
};

struct StateSubscribeResult {
  std::string subscription_id = {};
  Snapshot snapshot = {};
  static void describe(auto& self, auto& visit) {
    visit("subscription_id", self.subscription_id, "For `unsubscribe`.");
    visit("snapshot", self.snapshot, "The tree now.");
  }
};

/// Pushed: {"type":"snapshot","subscription_id":...,"snapshot":{...}}
struct SnapshotPush {
  std::string type = "snapshot";
  std::string subscription_id = {};
  Snapshot snapshot = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "snapshot");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("snapshot", self.snapshot, "The tree now.");
  }
};

struct StateDeltaPush {
  std::string type = "state_delta";
  std::string subscription_id = {};
  std::uint64_t from_generation = 0;
  std::uint64_t to_generation = 0;
  std::string state = {};
  std::vector<NodeInfo> changed = {};
  std::vector<std::string> removed = {};
  std::map<std::string, std::uint64_t> counts = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "state_delta");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("from_generation", self.from_generation, "Of the line before.");
    visit("to_generation", self.to_generation, "Of this one.");
    visit("state", self.state, "How the tree fares.");
    visit("changed", self.changed, "Nodes that are new or different.");
    visit("removed", self.removed, "Paths of nodes that are gone.");
    visit("counts", self.counts, "Nodes by lifecycle, of the whole tree; and `total`.");
  }
};

}  // namespace espalier::ipc
