#pragma once

#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/core/event_cause.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/run_summary.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace espalier::supervisor {

/// Why a child was asked to stop.
enum class StopCause : std::uint8_t { strategy, command, shutdown, policy };

enum class ShutdownStage : std::uint8_t {
  request_stop,
  graceful_drain,
  abort_stragglers,
  reconcile,
};

enum class Severity : std::uint8_t { debug, info, warning, error };

/// What happened, one struct a type. The vocabulary is the contract with every reader and may
/// only grow; `type_name` gives the word that stands in JSON.
namespace events {
struct TreeStarting {};
struct TreeStarted {
  Duration took = {};
};
struct TreeStartFailed {
  std::string error = {};
};
struct TreeStopped {
  std::string result = {};  ///< "stopped", "failed", "start_failed".
};
struct ChildStarting {};
struct ChildRunning {
  std::optional<std::int64_t> pid = {};
};
struct ChildReady {
  Duration start = {};
};
struct ChildStartFailed {
  std::string error = {};
};
struct ChildStopping {
  StopCause cause = StopCause::shutdown;
};
struct ChildExited {
  ExitRecord exit = {};
  Duration uptime = {};
};
struct ChildStopped {};
struct ChildFailed {
  std::string reason = {};
};
struct ChildQuarantined {
  std::string reason = {};
};
struct ChildPaused {};
struct ChildResumed {};
struct ChildUnhealthy {
  std::string probe = {};    ///< "watchdog", or what the health check is made of.
  std::string message = {};  ///< What the check said.
};
struct ProbeFailed {
  std::string probe = {};
  std::string message = {};
  std::uint64_t in_a_row = 0;
  std::uint64_t retries = 0;  ///< So many in a row make the child unhealthy; 0: it waits on.
};
struct ChildBlocked {
  std::string waits_for = {};  ///< A dependency that is not ready, or a gate that is not free.
};
struct ChildSuspended {};
struct ChildAdded {
  std::string requested_by = {};
};
struct ChildRemoved {
  std::string requested_by = {};
};
/// A command was carried out, joined or refused: who, why and what came of it.
struct CommandDone {
  std::string command = {};
  std::string requested_by = {};
  std::string reason = {};
  std::string result = {};  ///< "done", "unchanged", or the word of the error.
  std::string text = {};
  std::string child = {};  ///< Path of the child it was about; empty: the supervisor itself.
};
/// A child asked for something; `granted` by its permissions or not.
struct ChildAsked {
  std::string what = {};  ///< "restart", "shutdown".
  std::string reason = {};
  bool granted = false;
};
struct GroupHeld {
  std::string group = {};
  std::string reason = {};
};
struct GroupReset {
  std::string group = {};
  std::string cause = {};
};
/// A supervisor ends because its significant children have.
struct AutoShutdownTriggered {
  std::string by = {};  ///< Path of the child.
};
struct PlanApplied {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t restarted = 0;
  std::uint64_t changed = 0;  ///< In place.
};
struct PoolScaled {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};
struct RunSummarized {
  std::shared_ptr<const RunSummary> summary = {};
};
/// A reader of events missed some.
struct SubscriberLagged {
  std::string reader = {};
  std::string reason = {};  ///< "full", "sampled", "not_kept".
  std::uint64_t dropped = 0;
  std::uint64_t from = 0;  ///< Sequences between which they lie.
  std::uint64_t to = 0;
};
/// What waits for a reader of events is much, or no longer so.
struct BackpressureAlert {
  std::string reader = {};
  std::string level = {};  ///< "warn", "critical", "recovered".
  std::uint64_t fill_pct = 0;
};
struct JournalError {
  std::string error = {};
};
struct AuditFailed {
  std::string error = {};
};
struct ChildStatusText {
  std::string text = {};
};
struct StaleReport {
  std::uint64_t reported_generation = 0;
};
struct ChildAborted {};
struct ChildAbortFailed {};
struct RestartDecided {
  std::shared_ptr<const RestartDecision> decision = {};
  std::vector<std::string> scope = {};  ///< Paths, at most 32 of them.
  std::uint64_t scope_size = 0;
};
struct RestartCancelled {
  std::string cause = {};
};
struct ChildRestarted {
  std::uint64_t restarts_in_window = 0;
  std::uint64_t limit = 0;
  std::uint64_t restarts_total = 0;
};
struct ScopeRestartStarted {
  std::uint64_t size = 0;
};
struct ScopeRestartCompleted {
  Duration took = {};
};
struct FuseTripped {
  std::string scope = {};  ///< "child", "supervisor", or "group NAME".
  std::uint64_t count = 0;
  std::uint64_t limit = 0;
  Duration window = {};
};
struct FuseReset {
  std::string cause = {};
};
struct Escalated {
  std::string to = {};
  std::string reason = {};
};
struct ShutdownRequested {
  std::string cause = {};
};
struct ShutdownStageReached {
  ShutdownStage stage = ShutdownStage::request_stop;
};
struct ShutdownCompleted {
  std::shared_ptr<const ShutdownReport> report = {};
};
}  // namespace events

using EventBody = std::variant<
    events::TreeStarting, events::TreeStarted, events::TreeStartFailed, events::TreeStopped,
    events::ChildStarting, events::ChildRunning, events::ChildReady, events::ChildStartFailed,
    events::ChildStopping, events::ChildExited, events::ChildStopped, events::ChildFailed,
    events::ChildQuarantined, events::ChildPaused, events::ChildResumed, events::ChildUnhealthy,
    events::ChildStatusText, events::StaleReport, events::ChildAborted, events::ChildAbortFailed,
    events::RestartDecided, events::RestartCancelled, events::ChildRestarted,
    events::ScopeRestartStarted, events::ScopeRestartCompleted, events::FuseTripped,
    events::FuseReset, events::Escalated, events::ShutdownRequested, events::ShutdownStageReached,
    events::ShutdownCompleted, events::ProbeFailed, events::ChildBlocked, events::ChildSuspended,
    events::ChildAdded, events::ChildRemoved, events::CommandDone, events::ChildAsked,
    events::GroupHeld, events::GroupReset, events::AutoShutdownTriggered, events::PlanApplied,
    events::PoolScaled, events::RunSummarized, events::SubscriberLagged, events::BackpressureAlert,
    events::JournalError, events::AuditFailed>;

struct Event {
  std::uint64_t sequence = 0;  ///< From 1, without a gap within one epoch.
  std::uint64_t epoch = 0;     ///< One per run of the process: microseconds since 1970 at start.
  std::chrono::system_clock::time_point at = {};
  TimePoint monotonic = {};
  std::string path = {};
  std::uint64_t generation = 0;  ///< 0 where the event is not about an attempt; the first is 1.
  std::uint64_t attempt = 0;     ///< Starts in a row since the last stable run, from 1.
  Cause cause = {};
  EventBody body = {};
};

/// The word for JSON and people: "child_exited".
[[nodiscard]] const char* type_name(const EventBody& body);
[[nodiscard]] Severity severity_of(const EventBody& body);
/// One sentence without the path: "exited: exit code 1 after 3 s".
[[nodiscard]] std::string describe(const EventBody& body, const std::string& path);
[[nodiscard]] const char* to_string(StopCause x);
[[nodiscard]] const char* to_string(ShutdownStage x);
[[nodiscard]] const char* to_string(Severity x);

/// Takes every event of a tree. Called on the thread of the supervisor that produced it, in
/// order for one supervisor, at once from several; must be quick and must not block.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void publish(const Event& event) = 0;
};

/// A line that a process child wrote, or a status text; same rule as for EventSink.
struct OutputLine {
  std::string path = {};
  std::uint64_t generation = 0;
  bool is_stderr = false;
  std::string text = {};   ///< Without the newline; at most 8 KiB.
  bool truncated = false;  ///< The line was longer.
};
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void write(const OutputLine& line) = 0;
};

}  // namespace espalier::supervisor
