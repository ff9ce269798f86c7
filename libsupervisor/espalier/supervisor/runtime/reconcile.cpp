#include "espalier/supervisor/runtime/reconcile.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace espalier::supervisor {

namespace {

// The root tells of its end before it is gone itself, and those it could not wait for may be at
// their last step.
constexpr auto settle_limit = std::chrono::milliseconds{500};

ReconcileCheck check_actors(const Census& census) {
  ReconcileCheck check{.what = "actors", .checked = census.actors_ever()};
  if (const auto left = census.actors(); left > 0) {
    check.found.push_back(std::to_string(left) + (left == 1 ? " actor" : " actors") +
                          " in a handler that does not return");
    check.note = "an actor ends only between two messages; their threads stay busy";
  }
  return check;
}

ReconcileCheck check_threads(const Census& census, const TreeServices::IoEnd& io) {
  ReconcileCheck check{.what = "threads", .checked = census.runs_ever(Census::Runner::thread)};
  for (const auto& thread : census.runs(Census::Runner::thread)) {
    check.found.push_back(thread.path + " (running for " + human(thread.age) + ")");
  }
  for (const auto& path : io.probes)
    check.found.push_back("probe function of " + path);
  if (!check.found.empty()) check.note = "a thread cannot be ended from outside: orphaned";
  return check;
}

ReconcileCheck check_coroutines(const Census& census, const std::vector<Census::Run>& left,
                                const TreeServices::IoEnd& io) {
  ReconcileCheck check{.what = "coroutines",
                       .checked = census.runs_ever(Census::Runner::coroutine)};
  for (const auto& coroutine : left) {
    check.found.push_back(coroutine.path + " (running for " + human(coroutine.age) + ")");
  }
  if (!io.clean) {
    check.note = "one of them keeps its thread and cannot be ended from outside: orphaned";
  } else if (!left.empty()) {
    check.note = "ignored its cancellation: destroyed";
  }
  return check;
}

std::size_t wait_for_processes(const ProcessHost& host) {
  const auto until = std::chrono::steady_clock::now() + settle_limit;
  while (host.running() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return host.running();
}

ReconcileCheck check_processes(const ProcessHost& host) {
  ReconcileCheck check{.what = "processes"};
  if (const auto left = wait_for_processes(host); left > 0) {
    check.checked = left;
    check.found.push_back(std::to_string(left) + (left == 1 ? " process" : " processes") +
                          " of ours still alive");
    check.note = "killed";
  }
  return check;
}

ReconcileCheck check_descendants(ProcessHost& host) {
  ReconcileCheck check{.what = "descendants"};
  for (const auto& left : host.end_leftovers()) {
    check.found.push_back("pid " + std::to_string(left.pid) +
                          (left.path.empty() ? "" : " of " + left.path) + ": " + left.command);
  }
  check.checked = check.found.size();
  if (!check.found.empty()) check.note = "killed and reaped";
  return check;
}

}  // namespace

ShutdownReconcileReport reconcile(TreeServices& services) {
  ShutdownReconcileReport report;
  services.census->wait_quiet(settle_limit);
  report.checks.push_back(check_actors(*services.census));
  const auto left = services.census->runs(Census::Runner::coroutine);
  const auto io = services.census->actors() == 0 ? services.end_io() : TreeServices::IoEnd{};
  report.checks.push_back(check_threads(*services.census, io));
  if (services.census->runs_ever(Census::Runner::coroutine) > 0) {
    report.checks.push_back(check_coroutines(*services.census, left, io));
  }
  if (auto* host = services.host_if_any()) {
    report.checks.push_back(check_processes(*host));
    report.checks.push_back(check_descendants(*host));
    if (services.census->actors() == 0) services.end_host();
  }
  return report;
}

}  // namespace espalier::supervisor
