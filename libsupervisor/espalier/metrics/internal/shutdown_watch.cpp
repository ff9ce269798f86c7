#include "espalier/metrics/internal/shutdown_watch.hpp"

#include "espalier/metrics/internal/child_table.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace espalier::metrics::internal {

namespace {

using supervisor::ChildShutdownOutcome;
using supervisor::ShutdownStage;

constexpr std::array<double, 7> duration_bounds = {0.01, 0.1, 1, 5, 10, 30, 60};
constexpr const char* not_closing = "running";

double seconds(supervisor::Duration d) {
  return std::chrono::duration<double>(d).count();
}

// The stage in which a child came to this.
ShutdownStage stage_of(ChildShutdownOutcome outcome) {
  switch (outcome) {
    case ChildShutdownOutcome::already_exited:
      return ShutdownStage::request_stop;
    case ChildShutdownOutcome::graceful:
      return ShutdownStage::graceful_drain;
    case ChildShutdownOutcome::aborted:
    case ChildShutdownOutcome::abort_failed:
      return ShutdownStage::abort_stragglers;
    case ChildShutdownOutcome::late_report:
      return ShutdownStage::reconcile;
  }
  return ShutdownStage::reconcile;
}

}  // namespace

ShutdownWatch::ShutdownWatch() : durations(duration_bounds) {}

bool ShutdownWatch::Closing::was_asked() const {
  return !stages.empty() && stages.front().first == ShutdownStage::request_stop;
}

void ShutdownWatch::on(const supervisor::Event& event,
                       const supervisor::events::ShutdownStageReached& stage) {
  const std::lock_guard lock{mutex_};
  closing_[event.path].stages.emplace_back(stage.stage, event.monotonic);
}

void ShutdownWatch::on_abort(const supervisor::Event& event, bool failed) {
  const auto path = split_path(event.path).first;
  const std::lock_guard lock{mutex_};
  const auto found = closing_.find(path);
  const bool closes = found != closing_.end() && !found->second.stages.empty();
  if (failed) {
    const char* phase = closes ? to_string(found->second.stages.back().first) : not_closing;
    aborts.add({path, phase, "abort_failed"});
    if (closes) found->second.abort_failed = true;
  } else if (closes) {
    found->second.aborted.push_back(found->second.stages.back().first);
  } else {
    aborts.add({path, not_closing, "runtime"});
  }
}

void ShutdownWatch::on(const supervisor::Event& event, const supervisor::events::TreeStopped& end) {
  const std::lock_guard lock{mutex_};
  const auto root = closing_.find("/");
  const bool all_close = root != closing_.end() && root->second.was_asked();
  const auto* phase = end.result == "start_failed" ? "startup" : all_close ? "shutdown" : "running";
  exits.add({event.path, end.result, phase});
  const auto found = closing_.find(event.path);
  if (found == closing_.end()) return;
  for (const auto stage : found->second.aborted) {
    aborts.add({event.path, to_string(stage), reason_for(event.path, found->second, end.result)});
  }
  if (event.path == "/") return;  // The reconciliation is still to come.
  const auto& closing = found->second;
  const auto* result = closing.abort_failed      ? "left_over"
                       : closing.aborted.empty() ? "clean"
                                                 : "aborted";
  observe(event.path, closing, result, event.monotonic);
  durations.observe({event.path, "all", result},
                    seconds(event.monotonic - closing.stages.front().second));
  closing_.erase(found);
}

// Without a request the tree was told to end at once, or gave up. What is nested is ended by force
// when its own time is up.
const char* ShutdownWatch::reason_for(const std::string& path, const Closing& closing,
                                      const std::string& result) const {
  if (result != "stopped") return "runtime";
  const auto root = closing_.find("/");
  const bool at_once = root != closing_.end() && !root->second.was_asked();
  return at_once && (path == "/" || !closing.was_asked()) ? "operator" : "timeout";
}

void ShutdownWatch::on(const supervisor::Event& event,
                       const supervisor::events::ShutdownCompleted& end) {
  if (!end.report) return;
  const auto& report = *end.report;
  using enum ChildShutdownOutcome;
  const bool left_over = report.count(abort_failed) > 0 || !report.reconcile.clean();
  const bool forced = report.count(aborted) + report.count(late_report) > 0;
  const auto* result = left_over ? "left_over" : forced ? "aborted" : "clean";
  {
    const std::lock_guard lock{mutex_};
    if (const auto found = closing_.find(event.path); found != closing_.end()) {
      observe(event.path, found->second, result, event.monotonic);
      closing_.erase(found);
    }
  }
  durations.observe({event.path, "all", result}, seconds(report.took));
  count_children(report);
}

void ShutdownWatch::observe(const std::string& path, const Closing& closing,
                            const std::string& result, supervisor::TimePoint end) {
  for (std::size_t i = 0; i < closing.stages.size(); ++i) {
    const auto until = i + 1 < closing.stages.size() ? closing.stages[i + 1].second : end;
    durations.observe({path, to_string(closing.stages[i].first), result},
                      seconds(until - closing.stages[i].second));
  }
}

void ShutdownWatch::count_children(const supervisor::ShutdownReport& report) {
  for (const auto& child : report.children) {
    const auto path = split_path(child.path).first;
    const auto* phase = to_string(stage_of(child.outcome));
    outcomes.add({path, to_string(child.outcome), phase});
    if (child.outcome == ChildShutdownOutcome::late_report) late.add({path, phase, {}});
  }
}

}  // namespace espalier::metrics::internal
