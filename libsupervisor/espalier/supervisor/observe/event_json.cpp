#include "espalier/supervisor/observe/event_json.hpp"

#include "espalier/supervisor/observe/json_object.hpp"

namespace espalier::supervisor {
namespace {

using json::add_correlation;
using json::append_json_string;
using json::JsonObject;
using namespace events;

void append_exit(std::string& out, const ExitRecord& exit) {
  JsonObject json{out};
  json.text("kind", to_string(exit.kind));
  json.text("category", to_string(exit.category));
  if (exit.code) json.number("code", *exit.code);
  if (exit.signal) json.number("signal", *exit.signal);
  if (exit.core_dumped) json.flag("core_dumped", true);
  if (!exit.message.empty()) json.text("message", exit.message);
  if (exit.trace) json.array("trace", *exit.trace, append_json_string);
}

void append_child(std::string& out, const ChildShutdownStatus& child) {
  JsonObject json{out};
  json.text("path", child.path);
  json.text("outcome", to_string(child.outcome));
  json.number("generation", child.generation);
  json.ms("took_ms", child.took);
  if (child.generation != 0) append_exit(json.key("exit"), child.exit);
}

void append_counts(std::string& out, const ShutdownReport& report) {
  JsonObject json{out};
  using enum ChildShutdownOutcome;
  for (const auto outcome : {already_exited, graceful, aborted, abort_failed, late_report}) {
    json.number(to_string(outcome), report.count(outcome));
  }
}

void append_reconcile_check(std::string& out, const ReconcileCheck& check) {
  JsonObject json{out};
  json.text("what", check.what);
  json.number("checked", check.checked);
  json.array("found", check.found, append_json_string);
  if (!check.note.empty()) json.text("note", check.note);
}

void append_reconcile(std::string& out, const ShutdownReconcileReport& report) {
  JsonObject json{out};
  json.flag("clean", report.clean());
  json.array("checks", report.checks, append_reconcile_check);
}

void append_check(std::string& out, const RuleCheck& check) {
  JsonObject json{out};
  json.text("rule", to_string(check.rule));
  json.flag("decided", check.decided);
  json.number("count", check.count);
  json.number("limit", check.limit);
  json.ms("window_ms", check.window);
  if (check.tokens) json.key("tokens") += std::to_string(*check.tokens);
}

// The fields that a type adds to the common ones, if any. A new type does not compile until it has
// its overload here.
struct Fields {
  JsonObject& json;
  const std::string& path;

  void operator()(const TreeStarting&) const {}
  void operator()(const ChildStarting&) const {}
  void operator()(const ChildStopped&) const {}
  void operator()(const ChildPaused&) const {}
  void operator()(const ChildResumed&) const {}
  void operator()(const ChildAborted&) const {}
  void operator()(const ChildAbortFailed&) const {}
  void operator()(const TreeStarted& e) const { json.ms("duration_ms", e.took); }
  void operator()(const TreeStartFailed& e) const { json.text("error", e.error); }
  void operator()(const TreeStopped& e) const { json.text("result", e.result); }
  void operator()(const ChildRunning& e) const {
    if (e.pid) json.number("pid", *e.pid);
  }
  void operator()(const ChildReady& e) const { json.ms("start_ms", e.start); }
  void operator()(const ChildStartFailed& e) const { json.text("error", e.error); }
  void operator()(const ChildStopping& e) const { json.text("cause", to_string(e.cause)); }
  void operator()(const ChildExited& e) const {
    append_exit(json.key("exit"), e.exit);
    json.ms("uptime_ms", e.uptime);
  }
  void operator()(const ChildFailed& e) const { json.text("reason", e.reason); }
  void operator()(const ChildQuarantined& e) const { json.text("reason", e.reason); }
  void operator()(const ChildUnhealthy& e) const {
    json.text("probe", e.probe);
    if (!e.message.empty()) json.text("message", e.message);
  }
  void operator()(const ProbeFailed& e) const {
    json.text("probe", e.probe);
    json.text("message", e.message);
    json.number("in_a_row", e.in_a_row);
    json.number("retries", e.retries);
  }
  void operator()(const ChildBlocked& e) const { json.text("waits_for", e.waits_for); }
  void operator()(const ChildSuspended&) const {}
  void operator()(const ChildAdded& e) const { json.text("requested_by", e.requested_by); }
  void operator()(const ChildRemoved& e) const { json.text("requested_by", e.requested_by); }
  void operator()(const CommandDone& e) const {
    json.text("command", e.command);
    if (!e.child.empty()) json.text("child", e.child);
    json.text("requested_by", e.requested_by);
    json.text("reason", e.reason);
    json.text("result", e.result);
    json.text("text", e.text);
  }
  void operator()(const ChildAsked& e) const {
    json.text("what", e.what);
    json.text("reason", e.reason);
    json.flag("granted", e.granted);
  }
  void operator()(const GroupHeld& e) const {
    json.text("group", e.group);
    json.text("reason", e.reason);
  }
  void operator()(const GroupReset& e) const {
    json.text("group", e.group);
    json.text("cause", e.cause);
  }
  void operator()(const AutoShutdownTriggered& e) const { json.text("by", e.by); }
  void operator()(const PlanApplied& e) const {
    json.number("added", e.added);
    json.number("removed", e.removed);
    json.number("restarted", e.restarted);
    json.number("changed", e.changed);
  }
  void operator()(const PoolScaled& e) const {
    json.number("from", e.from);
    json.number("to", e.to);
  }
  void operator()(const RunSummarized& e) const {
    if (!e.summary) return;
    json.text("occasion", e.summary->occasion);
    json.text("cause", e.summary->cause);
    json.ms("uptime_ms", e.summary->uptime);
    json.number("restarts", e.summary->restarts);
    json.number("failures", e.summary->failures);
    json.number("commands", e.summary->commands);
    json.array("recent_failures", e.summary->recent_failures, append_json_string);
    json.text("final_decision", e.summary->final_decision);
    json.text("state", e.summary->state);
  }
  void operator()(const SubscriberLagged& e) const {
    json.text("reader", e.reader);
    json.text("reason", e.reason);
    json.number("dropped", e.dropped);
    json.number("from", e.from);
    json.number("to", e.to);
  }
  void operator()(const BackpressureAlert& e) const {
    json.text("reader", e.reader);
    json.text("level", e.level);
    json.number("fill_pct", e.fill_pct);
  }
  void operator()(const JournalError& e) const { json.text("error", e.error); }
  void operator()(const AuditFailed& e) const { json.text("error", e.error); }
  void operator()(const ChildStatusText& e) const { json.text("text", e.text); }
  void operator()(const StaleReport& e) const {
    json.number("reported_generation", e.reported_generation);
  }
  void operator()(const RestartDecided& e) const {
    if (const auto* decision = e.decision.get()) {
      json.text("verdict", to_string(decision->verdict));
      const bool later = decision->verdict == Verdict::restart_after ||
                         decision->verdict == Verdict::restart_queued;
      if (later) json.ms("delay_ms", decision->delay);
      json.text("rule", to_string(decision->deciding_rule));
      json.text("explanation", explain(path, *decision));
    }
    json.array("scope", e.scope, append_json_string);
    json.number("scope_size", e.scope_size);
    if (e.decision) json.array("checks", e.decision->checks, append_check);
  }
  void operator()(const RestartCancelled& e) const { json.text("cause", e.cause); }
  void operator()(const ChildRestarted& e) const {
    json.number("restarts_in_window", e.restarts_in_window);
    json.number("limit", e.limit);
    json.number("restarts_total", e.restarts_total);
  }
  void operator()(const ScopeRestartStarted& e) const { json.number("size", e.size); }
  void operator()(const ScopeRestartCompleted& e) const { json.ms("duration_ms", e.took); }
  void operator()(const FuseTripped& e) const {
    json.text("scope", e.scope);
    json.number("count", e.count);
    json.number("limit", e.limit);
    json.ms("window_ms", e.window);
  }
  void operator()(const FuseReset& e) const { json.text("cause", e.cause); }
  void operator()(const Escalated& e) const {
    json.text("to", e.to);
    json.text("reason", e.reason);
  }
  void operator()(const ShutdownRequested& e) const { json.text("cause", e.cause); }
  void operator()(const ShutdownStageReached& e) const { json.text("stage", to_string(e.stage)); }
  void operator()(const ShutdownCompleted& e) const {
    if (e.report) append_json(json.key("report"), *e.report);
  }
};

}  // namespace

void append_json(std::string& out, const Event& event) {
  JsonObject json{out};
  json.text("type", type_name(event.body));
  json.number("sequence", event.sequence);
  json.number("epoch", event.epoch);
  json.time("at", event.at);
  json.number("monotonic_ns", event.monotonic.time_since_epoch().count());
  json.text("path", event.path);
  if (event.generation != 0) json.number("generation", event.generation);
  if (event.attempt != 0) json.number("attempt", event.attempt);
  add_correlation(json, event);
  if (event.cause.caused_by != 0) json.number("caused_by", event.cause.caused_by);
  json.text("severity", to_string(severity_of(event.body)));
  std::visit(Fields{json, event.path}, event.body);
}

void append_json(std::string& out, const ShutdownReport& report) {
  JsonObject json{out};
  json.text("cause", report.cause);
  json.ms("took_ms", report.took);
  json.array("children", report.children, append_child);
  append_counts(json.key("counts"), report);
  append_reconcile(json.key("reconcile"), report.reconcile);
}

}  // namespace espalier::supervisor
