#pragma once

#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::ipc {

struct ExitInfo {
  std::string kind = {};
  std::string category = {};
  std::optional<std::int64_t> code = {};
  std::optional<std::int64_t> signal = {};
  std::optional<std::string> message = {};
  static void describe(auto& self, auto& visit) {
    visit("kind", self.kind, "How it ended: completed, failed, signalled, ...");
    visit("category", self.category, "What kind of failure it was.");
    visit("code", self.code, "Exit status of a process.");
    visit("signal", self.signal, "Number of the signal that ended it.");
    visit("message", self.message, "What it said itself.");
  }
};

struct RestartsInfo {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  double window_ms = 0;
  std::uint64_t total = 0;
  static void describe(auto& self, auto& visit) {
    visit("used", self.used, "Restarts within the window.");
    visit("limit", self.limit, "Its own restart limit; 0: none.");
    visit("window_ms", self.window_ms, "Length of the window; 0: none.");
    visit("total", self.total, "Restarts since it was added.");
  }
};

struct PendingRestart {
  Timestamp at = {};
  std::string reason = {};
  static void describe(auto& self, auto& visit) {
    visit("at", self.at, "When it is due.");
    visit("reason", self.reason, "What it waits for.");
  }
};

/// Of a process, from the kernel, at the moment of the snapshot.
struct ResourceInfo {
  double cpu_ms = 0;
  std::uint64_t rss_bytes = 0;
  std::optional<std::uint64_t> fds = {};
  static void describe(auto& self, auto& visit) {
    visit("cpu_ms", self.cpu_ms, "Processor time used so far.");
    visit("rss_bytes", self.rss_bytes, "Memory that is resident.");
    visit("fds", self.fds, "Open descriptors; absent where this user may not see.");
  }
};

struct NodeInfo {
  std::string path = {};
  sv::ChildKind kind = sv::ChildKind::supervisor;
  std::optional<sv::Strategy> strategy = {};
  Lifecycle lifecycle = Lifecycle::pending;
  sv::ChildPhase phase = sv::ChildPhase::idle;
  WireIntent intent = WireIntent::active;
  std::uint64_t generation = 0;
  std::uint64_t attempt = 0;
  std::optional<std::int64_t> pid = {};
  Timestamp since = {};
  std::string readiness = {};
  std::string health = {};
  std::optional<std::string> status_text = {};
  RestartsInfo restarts = {};
  std::optional<PendingRestart> pending_restart = {};
  std::optional<ExitInfo> last_exit = {};
  std::optional<std::string> last_decision = {};
  std::optional<ResourceInfo> resources = {};
  std::vector<std::string> tags = {};
  std::optional<std::string> group = {};
  std::optional<sv::WorkRole> role = {};
  sv::SeverityClass severity = sv::SeverityClass::standard;
  std::vector<std::string> dependencies = {};
  std::optional<std::string> restart_type = {};
  std::optional<std::string> command = {};
  std::optional<std::string> source = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "Where it stands in the tree.");
    visit("kind", self.kind, "What it is.");
    visit("strategy", self.strategy, "Of a supervisor or a pool.");
    visit("lifecycle", self.lifecycle, "Where it stands.");
    visit("phase", self.phase, "The same, more exactly.");
    visit("intent", self.intent, "What the operator wants of it.");
    visit("generation", self.generation, "Number of its attempt; commands can be fenced by it.");
    visit("attempt", self.attempt, "Starts in a row since it was last stable.");
    visit("pid", self.pid, "Of a process that runs.");
    visit("since", self.since, "When its phase began.");
    visit("readiness", self.readiness, "ready, waiting, none.");
    visit("health", self.health, "ok, unready, none.");
    visit("status_text", self.status_text, "In its own words.");
    visit("restarts", self.restarts, "Counted and allowed.");
    visit("pending_restart", self.pending_restart, "A restart that waits for its time.");
    visit("last_exit", self.last_exit, "How its last attempt ended.");
    visit("last_decision", self.last_decision, "What was decided then, as a sentence.");
    visit("resources", self.resources, "Only where `include` asks for them.");
    visit("tags", self.tags, "As configured.");
    visit("group", self.group, "The group it belongs to.");
    visit("role", self.role, "Its work role.");
    visit("severity", self.severity, "How much hangs on it.");
    visit("dependencies", self.dependencies, "Siblings that must be ready first.");
    visit("restart_type", self.restart_type, "permanent, transient or temporary.");
    visit("command", self.command, "First word of its command line.");
    visit("source", self.source, "file:line:column where it was configured.");
  }
};

struct TargetRef {
  std::string target_id = {};
  std::string display_name = {};
  std::int64_t pid = 0;
  static void describe(auto& self, auto& visit) {
    visit("target_id", self.target_id, "Name of the target among all.");
    visit("display_name", self.display_name, "For people.");
    visit("pid", self.pid, "Of the program.");
  }
};

struct DroppedInfo {
  std::uint64_t events = 0;
  std::uint64_t logs = 0;
  static void describe(auto& self, auto& visit) {
    visit("events", self.events, "Events no longer kept.");
    visit("logs", self.logs, "Lines of output no longer kept.");
  }
};

struct ShutdownInfo {
  std::string phase = {};
  std::uint64_t remaining = 0;
  static void describe(auto& self, auto& visit) {
    visit("phase", self.phase, "Stage of the shutdown.");
    visit("remaining", self.remaining, "Children that have not ended.");
  }
};

/// The whole of a tree, or of a part of it.
struct Snapshot {
  TargetRef target = {};
  std::uint64_t generation = 0;
  Timestamp generated_at = {};
  std::string config_version = {};
  std::string state = {};
  std::vector<NodeInfo> nodes = {};
  std::map<std::string, std::uint64_t> counts = {};
  DroppedInfo dropped = {};
  std::optional<ShutdownInfo> shutdown = {};
  static void describe(auto& self, auto& visit) {
    visit("target", self.target, "Whose tree it is.");
    visit("generation", self.generation, "Grows with every change.");
    visit("generated_at", self.generated_at, "When.");
    visit("config_version", self.config_version, "As the configuration says; may be empty.");
    visit("state", self.state, "starting, up, degraded, stopping, stopped, failed.");
    visit("nodes", self.nodes, "A node, then all below it; siblings as declared.");
    visit("counts", self.counts, "Nodes by lifecycle, of the whole tree; and `total`.");
    visit("dropped", self.dropped, "What is no longer kept.");
    visit("shutdown", self.shutdown, "While it shuts down.");
  }
};

}  // namespace espalier::ipc
