#include "espalier/supervisor/core/event.hpp"

namespace espalier::supervisor {
namespace {

using namespace events;

// One overload a type: a new type does not compile until it has a word here and a sentence below.
struct Name {
  const char* operator()(const TreeStarting&) const { return "tree_starting"; }
  const char* operator()(const TreeStarted&) const { return "tree_started"; }
  const char* operator()(const TreeStartFailed&) const { return "tree_start_failed"; }
  const char* operator()(const TreeStopped&) const { return "tree_stopped"; }
  const char* operator()(const ChildStarting&) const { return "child_starting"; }
  const char* operator()(const ChildRunning&) const { return "child_running"; }
  const char* operator()(const ChildReady&) const { return "child_ready"; }
  const char* operator()(const ChildStartFailed&) const { return "child_start_failed"; }
  const char* operator()(const ChildStopping&) const { return "child_stopping"; }
  const char* operator()(const ChildExited&) const { return "child_exited"; }
  const char* operator()(const ChildStopped&) const { return "child_stopped"; }
  const char* operator()(const ChildFailed&) const { return "child_failed"; }
  const char* operator()(const ChildQuarantined&) const { return "child_quarantined"; }
  const char* operator()(const ChildPaused&) const { return "child_paused"; }
  const char* operator()(const ChildResumed&) const { return "child_resumed"; }
  const char* operator()(const ChildUnhealthy&) const { return "child_unhealthy"; }
  const char* operator()(const ChildStatusText&) const { return "child_status"; }
  const char* operator()(const StaleReport&) const { return "stale_report"; }
  const char* operator()(const ChildAborted&) const { return "child_aborted"; }
  const char* operator()(const ChildAbortFailed&) const { return "child_abort_failed"; }
  const char* operator()(const RestartDecided&) const { return "restart_decided"; }
  const char* operator()(const RestartCancelled&) const { return "restart_cancelled"; }
  const char* operator()(const ChildRestarted&) const { return "child_restarted"; }
  const char* operator()(const ScopeRestartStarted&) const { return "scope_restart_started"; }
  const char* operator()(const ScopeRestartCompleted&) const { return "scope_restart_completed"; }
  const char* operator()(const FuseTripped&) const { return "fuse_tripped"; }
  const char* operator()(const FuseReset&) const { return "fuse_reset"; }
  const char* operator()(const Escalated&) const { return "escalated"; }
  const char* operator()(const ShutdownRequested&) const { return "shutdown_requested"; }
  const char* operator()(const ShutdownStageReached&) const { return "shutdown_stage"; }
  const char* operator()(const ShutdownCompleted&) const { return "shutdown_completed"; }
  const char* operator()(const ProbeFailed&) const { return "probe_failed"; }
  const char* operator()(const ChildBlocked&) const { return "child_blocked"; }
  const char* operator()(const ChildSuspended&) const { return "child_suspended"; }
  const char* operator()(const ChildAdded&) const { return "child_added"; }
  const char* operator()(const ChildRemoved&) const { return "child_removed"; }
  const char* operator()(const CommandDone&) const { return "command_done"; }
  const char* operator()(const ChildAsked&) const { return "child_asked"; }
  const char* operator()(const GroupHeld&) const { return "group_held"; }
  const char* operator()(const GroupReset&) const { return "group_reset"; }
  const char* operator()(const AutoShutdownTriggered&) const { return "auto_shutdown"; }
  const char* operator()(const PlanApplied&) const { return "plan_applied"; }
  const char* operator()(const PoolScaled&) const { return "pool_scaled"; }
  const char* operator()(const RunSummarized&) const { return "run_summary"; }
  const char* operator()(const SubscriberLagged&) const { return "subscriber_lagged"; }
  const char* operator()(const BackpressureAlert&) const { return "backpressure_alert"; }
  const char* operator()(const JournalError&) const { return "journal_error"; }
  const char* operator()(const AuditFailed&) const { return "audit_failed"; }
};

// What needs no attention is info; what a reader only wants when looking closely is debug.
struct Grade {
  template <class T>
  Severity operator()(const T&) const {
    return Severity::info;
  }
  Severity operator()(const ChildStarting&) const { return Severity::debug; }
  Severity operator()(const ChildRunning&) const { return Severity::debug; }
  Severity operator()(const StaleReport&) const { return Severity::debug; }
  Severity operator()(const ChildStopping&) const { return Severity::debug; }
  Severity operator()(const TreeStartFailed&) const { return Severity::error; }
  Severity operator()(const TreeStopped& e) const {
    return e.result == "stopped" ? Severity::info : Severity::error;
  }
  Severity operator()(const ChildStartFailed&) const { return Severity::error; }
  Severity operator()(const ChildExited& e) const {
    return e.exit.is_failure() ? Severity::warning : Severity::info;
  }
  Severity operator()(const ChildFailed&) const { return Severity::error; }
  Severity operator()(const ChildQuarantined&) const { return Severity::error; }
  Severity operator()(const ChildUnhealthy&) const { return Severity::warning; }
  Severity operator()(const ChildAborted&) const { return Severity::warning; }
  Severity operator()(const ChildAbortFailed&) const { return Severity::error; }
  Severity operator()(const RestartDecided& e) const {
    if (!e.decision) return Severity::info;
    const auto verdict = e.decision->verdict;
    if (verdict == Verdict::escalate || verdict == Verdict::shutdown_tree) return Severity::error;
    return e.decision->exit.is_failure() ? Severity::warning : Severity::info;
  }
  Severity operator()(const FuseTripped&) const { return Severity::error; }
  Severity operator()(const GroupHeld&) const { return Severity::error; }
  Severity operator()(const ProbeFailed&) const { return Severity::warning; }
  Severity operator()(const CommandDone& e) const {
    const bool refused = e.result != "done" && e.result != "unchanged";
    return refused ? Severity::warning : Severity::info;
  }
  Severity operator()(const ChildAsked& e) const {
    return e.granted ? Severity::info : Severity::warning;
  }
  Severity operator()(const Escalated&) const { return Severity::error; }
  Severity operator()(const SubscriberLagged&) const { return Severity::warning; }
  Severity operator()(const BackpressureAlert& e) const {
    if (e.level == "critical") return Severity::error;
    return e.level == "warn" ? Severity::warning : Severity::info;
  }
  Severity operator()(const JournalError&) const { return Severity::error; }
  Severity operator()(const AuditFailed&) const { return Severity::error; }
  Severity operator()(const ShutdownCompleted& e) const {
    return !e.report || e.report->reconcile.clean() ? Severity::info : Severity::warning;
  }
};

std::string because(const std::string& text) {
  return text.empty() ? "" : ": " + text;
}

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

std::string outcome_summary(const ShutdownReport& report) {
  std::string out = "shut down in " + human(report.took) + because(report.cause);
  using enum ChildShutdownOutcome;
  for (const auto outcome : {graceful, already_exited, aborted, abort_failed, late_report}) {
    const auto n = report.count(outcome);
    if (n != 0) out += "; " + number(n) + " " + to_string(outcome);
  }
  for (const auto& check : report.reconcile.checks) {
    if (!check.found.empty()) {
      out += "; left over: " + number(check.found.size()) + " " + check.what + " (" +
             check.found.front() + (check.found.size() > 1 ? ", ...)" : ")");
    }
  }
  return out;
}

struct Sentence {
  const std::string& path;

  std::string operator()(const TreeStarting&) const { return "is starting"; }
  std::string operator()(const TreeStarted& e) const { return "is up after " + human(e.took); }
  std::string operator()(const TreeStartFailed& e) const {
    return "could not start" + because(e.error);
  }
  std::string operator()(const TreeStopped& e) const { return "ended" + because(e.result); }
  std::string operator()(const ChildStarting&) const { return "is starting"; }
  std::string operator()(const ChildRunning& e) const {
    return e.pid ? "runs as process " + std::to_string(*e.pid) : "runs";
  }
  std::string operator()(const ChildReady& e) const { return "is ready after " + human(e.start); }
  std::string operator()(const ChildStartFailed& e) const {
    return "failed to start" + because(e.error);
  }
  std::string operator()(const ChildStopping& e) const {
    return std::string{"is asked to stop: "} + to_string(e.cause);
  }
  std::string operator()(const ChildExited& e) const {
    auto out = "exited: " + describe_without_message(e.exit) + " after " + human(e.uptime);
    return out + because(e.exit.message);
  }
  std::string operator()(const ChildStopped&) const { return "stays stopped"; }
  std::string operator()(const ChildFailed& e) const { return "was given up" + because(e.reason); }
  std::string operator()(const ChildQuarantined& e) const {
    return "is quarantined until an operator restarts it" + because(e.reason);
  }
  std::string operator()(const ChildPaused&) const { return "is paused"; }
  std::string operator()(const ChildResumed&) const { return "is resumed"; }
  std::string operator()(const ChildUnhealthy& e) const {
    return "is unhealthy" + because(e.probe) + because(e.message);
  }
  std::string operator()(const ChildStatusText& e) const { return "status" + because(e.text); }
  std::string operator()(const StaleReport& e) const {
    return "sent a late report of generation " + number(e.reported_generation) + ", ignored";
  }
  std::string operator()(const ChildAborted&) const { return "is ended by force"; }
  std::string operator()(const ChildAbortFailed&) const {
    return "could not be ended and may still run";
  }
  std::string operator()(const RestartDecided& e) const {
    if (!e.decision) return "decided";
    // The explanation opens with the path, which the caller writes too.
    return "decided: " + explain(path, *e.decision).substr(path.size() + 2);
  }
  std::string operator()(const RestartCancelled& e) const {
    return "will not be restarted" + because(e.cause);
  }
  std::string operator()(const ChildRestarted& e) const {
    auto out = "restarted: restart " + number(e.restarts_total) + " in all";
    if (e.limit != 0) {
      out += ", " + number(e.restarts_in_window) + " of " + number(e.limit) + " in its window";
    }
    return out;
  }
  std::string operator()(const ScopeRestartStarted& e) const {
    return "is restarted with its scope of " + number(e.size);
  }
  std::string operator()(const ScopeRestartCompleted& e) const {
    return "and its scope are restarted after " + human(e.took);
  }
  std::string operator()(const FuseTripped& e) const {
    return e.scope + " limit tripped: " + number(e.count) + " restarts within " + human(e.window) +
           ", limit " + number(e.limit);
  }
  std::string operator()(const FuseReset& e) const {
    return "counters and back-off are cleared" + because(e.cause);
  }
  std::string operator()(const Escalated& e) const {
    return "escalates to " + e.to + because(e.reason);
  }
  std::string operator()(const ShutdownRequested& e) const {
    return "is to shut down" + because(e.cause);
  }
  std::string operator()(const ShutdownStageReached& e) const {
    return std::string{"shutdown stage: "} + to_string(e.stage);
  }
  std::string operator()(const ShutdownCompleted& e) const {
    return e.report ? outcome_summary(*e.report) : "shut down";
  }

  std::string operator()(const ProbeFailed& e) const {
    auto out = "failed its " + e.probe + " check";
    if (e.retries != 0) out += " (" + number(e.in_a_row) + " of " + number(e.retries) + ")";
    return out + because(e.message);
  }
  std::string operator()(const ChildBlocked& e) const { return "waits for " + e.waits_for; }
  std::string operator()(const ChildSuspended&) const { return "is suspended"; }
  std::string operator()(const ChildAdded& e) const { return "was added by " + e.requested_by; }
  std::string operator()(const ChildRemoved& e) const { return "was removed by " + e.requested_by; }
  std::string operator()(const CommandDone& e) const {
    return e.command + " by " + e.requested_by + " (" + e.reason + "): " + e.result +
           because(e.text);
  }
  std::string operator()(const ChildAsked& e) const {
    return "asks for a " + e.what + (e.granted ? "" : ", which it may not") + because(e.reason);
  }
  std::string operator()(const GroupHeld& e) const {
    return "holds the group " + e.group + because(e.reason);
  }
  std::string operator()(const GroupReset& e) const {
    return "lets the group " + e.group + " go on" + because(e.cause);
  }
  std::string operator()(const AutoShutdownTriggered& e) const {
    return "ends because its significant child " + e.by + " has ended";
  }
  std::string operator()(const PlanApplied& e) const {
    return "is changed: " + number(e.added) + " added, " + number(e.removed) + " removed, " +
           number(e.restarted) + " restarted, " + number(e.changed) + " changed in place";
  }
  std::string operator()(const PoolScaled& e) const {
    return "is scaled from " + number(e.from) + " to " + number(e.to);
  }
  std::string operator()(const RunSummarized& e) const {
    if (!e.summary) return "summary";
    return "summary on " + e.summary->occasion + ": up " + human(e.summary->uptime) + ", " +
           number(e.summary->failures) + " failures, " + number(e.summary->restarts) + " restarts" +
           because(e.summary->cause);
  }

  std::string operator()(const SubscriberLagged& e) const {
    return "has a reader, " + e.reader + ", that missed " + number(e.dropped) + " events from " +
           number(e.from) + " to " + number(e.to) + because(e.reason);
  }
  std::string operator()(const BackpressureAlert& e) const {
    if (e.level == "recovered") return "has a reader, " + e.reader + ", that keeps up again";
    return "has a reader, " + e.reader + ", that is too slow: what may wait for it is filled to " +
           number(e.fill_pct) + " %";
  }
  std::string operator()(const JournalError& e) const {
    return "has no journal" + because(e.error);
  }
  std::string operator()(const AuditFailed& e) const {
    return "cannot keep its audit, and refuses commands" + because(e.error);
  }

  static std::string describe_without_message(ExitRecord exit) {
    exit.message.clear();
    return supervisor::describe(exit);
  }
};

}  // namespace

const char* type_name(const EventBody& body) {
  return std::visit(Name{}, body);
}

Severity severity_of(const EventBody& body) {
  return std::visit(Grade{}, body);
}

std::string describe(const EventBody& body, const std::string& path) {
  return std::visit(Sentence{path}, body);
}

const char* to_string(StopCause x) {
  switch (x) {
    case StopCause::strategy:
      return "strategy";
    case StopCause::command:
      return "command";
    case StopCause::shutdown:
      return "shutdown";
    case StopCause::policy:
      return "policy";
  }
  return "unknown";
}

const char* to_string(ShutdownStage x) {
  switch (x) {
    case ShutdownStage::request_stop:
      return "request_stop";
    case ShutdownStage::graceful_drain:
      return "graceful_drain";
    case ShutdownStage::abort_stragglers:
      return "abort_stragglers";
    case ShutdownStage::reconcile:
      return "reconcile";
  }
  return "unknown";
}

const char* to_string(Severity x) {
  switch (x) {
    case Severity::debug:
      return "debug";
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "unknown";
}

}  // namespace espalier::supervisor
