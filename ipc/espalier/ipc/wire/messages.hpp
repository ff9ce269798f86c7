#pragma once

#include "espalier/ipc/wire/snapshot.hpp"
#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

inline constexpr const char* protocol_version = "supervisor-ipc.v1";

/// The answer to a request that failed.
struct ErrorBody {
  ErrorCode code = ErrorCode::internal;
  Stage stage = Stage::execution;
  std::string message = {};
  bool retryable = false;
  std::optional<std::string> target_id = {};
  std::optional<std::uint64_t> retry_after_ms = {};
  static void describe(auto& self, auto& visit) {
    visit("code", self.code, "Why.");
    visit("stage", self.stage, "Where on its way the request was stopped.");
    visit("message", self.message, "What, where, and what to do next.");
    visit("retryable", self.retryable, "The same request may succeed later.");
    visit("target_id", self.target_id, "Of the target that answers.");
    visit("retry_after_ms", self.retry_after_ms, "When to try again, where that is known.");
  }
};

struct Nothing {
  static void describe(auto&, auto&) {}
};

// --- hello, ping, health -----------------------------------------------------------------------

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

// --- state -------------------------------------------------------------------------------------

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

// --- events ------------------------------------------------------------------------------------

struct WireEventFilter {
  std::optional<std::string> path = {};
  std::optional<std::vector<std::string>> types = {};
  std::optional<sv::Severity> min_severity = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "A node and all below it; or a pattern with * and **.");
    visit("types", self.types, "Words of docs/events.md; left out: all.");
    visit("min_severity", self.min_severity, "debug (left out), info, warning, error.");
  }
};

/// Where a reader stands in the events of a target.
struct Cursor {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  static void describe(auto& self, auto& visit) {
    visit("epoch", self.epoch, "Of the run of the target.");
    visit("sequence", self.sequence, "Of the last event that was seen.");
  }
};

struct EventsSubscribeParams {
  std::optional<WireEventFilter> filter = {};
  std::optional<Cursor> from = {};
  std::optional<std::uint64_t> replay = {};
  static void describe(auto& self, auto& visit) {
    visit("filter", self.filter, "Which events; left out: all.");
    visit("from", self.from, "Go on after this one.");
    visit("replay", self.replay, "Or begin with so many that were before.");
  }
};

struct SubscribeResult {
  std::string subscription_id = {};
  Cursor cursor = {};
  static void describe(auto& self, auto& visit) {
    visit("subscription_id", self.subscription_id, "For `unsubscribe`.");
    visit("cursor", self.cursor, "Where the lines begin: after this one.");
  }
};

/// Pushed. `event` is one of docs/events.md.
struct EventPush {
  std::string type = "event";
  std::string subscription_id = {};
  RawJson event = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "event");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("event", self.event, "As event.schema.json says.");
  }
};

/// Pushed where lines are missing.
struct GapPush {
  std::string type = "gap";
  std::string subscription_id = {};
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t count = 0;
  std::string reason = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "gap");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("from", self.from, "Sequence of the first that may be missing; 0: not known.");
    visit("to", self.to, "Sequence of the last.");
    visit("count", self.count, "How many are missing at most; 0: not known.");
    visit("reason", self.reason, "slow_reader, not_kept, other_epoch.");
  }
};

struct EventsQueryParams {
  std::optional<WireEventFilter> filter = {};
  std::optional<Cursor> before = {};
  std::optional<Cursor> after = {};
  std::optional<std::uint64_t> limit = {};
  static void describe(auto& self, auto& visit) {
    visit("filter", self.filter, "Which events; left out: all.");
    visit("before", self.before, "Those before this one, the newest of them.");
    visit("after", self.after, "Those after this one, the oldest of them.");
    visit("limit", self.limit, "At most so many, 1 to 1000; 100.");
  }
};

struct EventsPage {
  std::vector<RawJson> events = {};
  std::optional<Cursor> next = {};
  bool complete = true;
  static void describe(auto& self, auto& visit) {
    visit("events", self.events, "Oldest first.");
    visit("next", self.next, "Goes on in the same direction; absent: that was all.");
    visit("complete", self.complete, "False: some that would fit are no longer kept.");
  }
};

// --- logs --------------------------------------------------------------------------------------

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

// --- why ---------------------------------------------------------------------------------------

struct PathParams {
  std::string path = {};
  static void describe(auto& self, auto& visit) { visit("path", self.path, "The node."); }
};

struct RuleInfo {
  std::string rule = {};
  bool decided = false;
  std::uint64_t count = 0;
  std::uint64_t limit = 0;
  double window_ms = 0;
  std::optional<double> tokens = {};
  static void describe(auto& self, auto& visit) {
    visit("rule", self.rule, "Which rule.");
    visit("decided", self.decided, "It was the one that decided.");
    visit("count", self.count, "What it counted.");
    visit("limit", self.limit, "Against what; 0: none.");
    visit("window_ms", self.window_ms, "Within so long; 0: no window.");
    visit("tokens", self.tokens, "Left in a budget.");
  }
};

struct DecisionInfo {
  std::string verdict = {};
  std::string deciding_rule = {};
  double delay_ms = 0;
  ExitInfo exit = {};
  std::vector<RuleInfo> rules = {};
  std::string text = {};
  static void describe(auto& self, auto& visit) {
    visit("verdict", self.verdict, "What was decided.");
    visit("deciding_rule", self.deciding_rule, "By which rule.");
    visit("delay_ms", self.delay_ms, "How long it waits.");
    visit("exit", self.exit, "What it was about.");
    visit("rules", self.rules, "All that were consulted, in order.");
    visit("text", self.text, "The same as a sentence.");
  }
};

struct WhyResult {
  std::string path = {};
  std::string sentence = {};
  sv::ChildPhase phase = sv::ChildPhase::idle;
  std::optional<DecisionInfo> decision = {};
  std::vector<RawJson> chain = {};
  bool complete = true;
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "The node.");
    visit("sentence", self.sentence, "Why it is as it is.");
    visit("phase", self.phase, "Where it stands.");
    visit("decision", self.decision, "The last one about it.");
    visit("chain", self.chain, "The event that explains it and its causes, newest first.");
    visit("complete", self.complete, "False: the chain begins before the oldest kept event.");
  }
};

// --- commands ----------------------------------------------------------------------------------

/// Of every `command.*` method; each adds what stands in its own struct to these.
struct CommandParams {
  std::optional<std::string> path = {};
  std::string requested_by = {};
  std::string reason = {};
  std::optional<std::string> command_id = {};
  std::optional<bool> confirmed = {};
  std::optional<std::uint64_t> expected_generation = {};
  std::optional<bool> dry_run = {};
  std::optional<std::uint64_t> timeout_ms = {};
  std::optional<RawJson> child = {};       // add_child, set_policy
  std::optional<std::uint64_t> size = {};  // scale_pool
  std::optional<std::string> group = {};   // reset_group
  std::optional<std::string> text = {};    // reload
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "What it is about; reload and shutdown_tree: left out.");
    visit("requested_by", self.requested_by, "Who wants it; the kernel's word stands beside it.");
    visit("reason", self.reason, "Why; kept in the audit.");
    visit("command_id", self.command_id, "The same again gets the first answer; 1 to 128 bytes.");
    visit("confirmed", self.confirmed, "True for what is dangerous.");
    visit("expected_generation", self.expected_generation, "Refused if it is another by then.");
    visit("dry_run", self.dry_run, "Only say what would be done.");
    visit("timeout_ms", self.timeout_ms, "How long to wait for its end, 0 to 600000; 10000.");
    visit("child", self.child, "add_child: the child as in a tree file; set_policy: its policy.");
    visit("size", self.size, "scale_pool: instances.");
    visit("group", self.group, "reset_group: its name.");
    visit("text", self.text, "reload: a tree file; left out: the target reads its own again.");
  }
};

struct OutcomeInfo {
  std::string path = {};
  std::string text = {};
  bool changed = true;
  bool joined = false;
  std::string phase = {};
  std::uint64_t generation = 0;
  std::vector<std::string> plan = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "What it was about; of a new child, its path.");
    visit("text", self.text, "What was done, or would be, as a sentence.");
    visit("changed", self.changed, "False: it was so already.");
    visit("joined", self.joined, "The same was under way.");
    visit("phase", self.phase, "Where the node stands afterwards.");
    visit("generation", self.generation, "Its attempt afterwards.");
    visit("plan", self.plan, "Steps of a dry run or a reload, in order.");
  }
};

struct CommandAnswer {
  std::string command_id = {};
  CommandStatus status = CommandStatus::completed;
  std::optional<OutcomeInfo> outcome = {};
  std::optional<ErrorBody> error = {};
  std::optional<bool> repeated = {};
  static void describe(auto& self, auto& visit) {
    visit("command_id", self.command_id, "Given by the client, or made here.");
    visit("status", self.status, "What came of it.");
    visit("outcome", self.outcome, "Of what is completed.");
    visit("error", self.error, "Of what was rejected by the tree.");
    visit("repeated", self.repeated, "True: the answer of the first time, nothing ran again.");
  }
};

// --- audit -------------------------------------------------------------------------------------

struct AuditQueryParams {
  std::optional<std::uint64_t> limit = {};
  static void describe(auto& self, auto& visit) {
    visit("limit", self.limit, "At most so many of the last, 1 to 1000; 100.");
  }
};

struct AuditPage {
  std::vector<RawJson> records = {};
  static void describe(auto& self, auto& visit) {
    visit("records", self.records, "Oldest first; as audit.schema.json says.");
  }
};

/// One record; the hash is over the line with `hash` left out, see docs/ipc.md.
struct AuditRecord {
  std::uint64_t sequence = 0;
  Timestamp at = {};
  std::int64_t pid = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::string method = {};
  std::optional<std::string> request_id = {};
  std::optional<std::string> command_id = {};
  std::optional<std::string> path = {};
  std::optional<std::string> requested_by = {};
  std::optional<std::string> reason = {};
  std::string decision = {};
  std::string control = {};
  std::optional<std::string> detail = {};
  std::string previous = {};
  std::string hash = {};
  static void describe(auto& self, auto& visit) {
    visit("sequence", self.sequence, "From 1, without a gap.");
    visit("at", self.at, "When.");
    visit("pid", self.pid, "Of the peer, from the kernel.");
    visit("uid", self.uid, "Of the peer, from the kernel.");
    visit("gid", self.gid, "Of the peer, from the kernel.");
    visit("method", self.method, "What was asked for; empty: nothing yet.");
    visit("request_id", self.request_id, "As the client gave it.");
    visit("command_id", self.command_id, "Of a command.");
    visit("path", self.path, "What it was about.");
    visit("requested_by", self.requested_by, "Who, as the client says.");
    visit("reason", self.reason, "Why, as the client says.");
    visit("decision", self.decision, "accepted, refused, completed, rejected, timed_out.");
    visit("control", self.control, "Stage that refused it; `execution` for what was done.");
    visit("detail", self.detail, "Code of the refusal, or what was done.");
    visit("previous", self.previous, "Hash of the record before; of the first: 64 zeros.");
    visit("hash", self.hash, "SHA-256 in hex.");
  }
};

// --- registration with a relay -----------------------------------------------------------------

struct RegisterParams {
  std::string target_id = {};
  std::string display_name = {};
  std::string ipc_path = {};
  std::uint64_t lease_seconds = 0;
  std::vector<std::string> supported_commands = {};
  std::int64_t pid = 0;
  std::string version = {};
  static void describe(auto& self, auto& visit) {
    visit("target_id", self.target_id, "Name of the target among all.");
    visit("display_name", self.display_name, "For people.");
    visit("ipc_path", self.ipc_path, "Absolute path of its socket.");
    visit("lease_seconds", self.lease_seconds, "Silence after which it counts as gone.");
    visit("supported_commands", self.supported_commands, "Methods that change something.");
    visit("pid", self.pid, "Of the program.");
    visit("version", self.version, "Of the program.");
  }
};

struct RegisterResult {
  std::string registration_id = {};
  std::uint64_t heartbeat_seconds = 0;
  static void describe(auto& self, auto& visit) {
    visit("registration_id", self.registration_id, "Made by the relay.");
    visit("heartbeat_seconds", self.heartbeat_seconds, "How often it wants a sign of life.");
  }
};

struct HeartbeatParams {
  std::string registration_id = {};
  static void describe(auto& self, auto& visit) {
    visit("registration_id", self.registration_id, "As it was given.");
  }
};

}  // namespace espalier::ipc
