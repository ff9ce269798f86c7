#pragma once

#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace espalier::testing {

using supervisor::Duration;

/// Something a worker told its supervisor, and when, counted from the begin of the run.
struct Report {
  enum class Kind : std::uint8_t { ready, alive, status, restart_wish, shutdown_wish };
  Kind kind = Kind::ready;
  Duration at = Duration::zero();
  std::string text = {};  ///< Of a status; the reason of a wish.
};

/// Calls a worker function as a supervisor would, on the caller's thread and in virtual time.
///
/// The problem: a worker sleeps, is stopped some time, reports how it fares. A test with threads
/// and clocks is slow and fails on busy machines. Here `sleep_for` moves the clock and returns at
/// once, and the stop comes at the very instant `stop_after` names.
///
///     TestContext context;
///     context.set_param("url", "http://localhost").stop_after(1min);
///     const auto exit = context.run(worker);
///
/// Time moves in `sleep_for` and `advance` only, so a worker that waits for anything else (a
/// condition variable, a socket) waits in real time. A worker that can never end is ended with a
/// std::logic_error that says why: it slept past `limit`, or went on and on without noticing the
/// stop. Thread rule: one thread.
class TestContext final : public supervisor::ChildContext {
 public:
  explicit TestContext(std::string path = "/worker") : path_(std::move(path)) {}

  TestContext& set_param(const std::string& name, const std::string& value);
  TestContext& set_generation(std::uint64_t generation, std::uint64_t attempt = 1);
  TestContext& set_heartbeat_interval(Duration interval);
  /// Requests the stop that long after the begin of the run.
  TestContext& stop_after(Duration delay);
  /// How much virtual time a run may take; a day unless set.
  TestContext& set_limit(Duration limit);

  /// Calls the worker until it returns or throws; the clock, the reports and the stop begin anew.
  supervisor::ExitRecord run(const supervisor::BlockingFunction& worker);

  /// Virtual time since the begin of the run.
  [[nodiscard]] Duration now() const { return now_; }
  /// Lets time pass: for fakes of what a worker calls.
  void advance(Duration by);
  void request_stop() { stop_.request_stop(); }

  /// In order.
  [[nodiscard]] const std::vector<Report>& reports() const { return reports_; }
  [[nodiscard]] std::vector<Report> reports(Report::Kind kind) const;
  /// When it was first ready; none: never.
  [[nodiscard]] std::optional<Duration> ready_at() const;

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] std::uint64_t generation() const override { return generation_; }
  [[nodiscard]] std::uint64_t attempt() const override { return attempt_; }
  [[nodiscard]] const std::map<std::string, std::string>& params() const override {
    return params_;
  }
  [[nodiscard]] bool stop_requested() const override;
  [[nodiscard]] std::stop_token stop_token() const override { return stop_.get_token(); }
  bool sleep_for(Duration d) override;
  [[nodiscard]] Duration heartbeat_interval() const override { return heartbeat_interval_; }
  void report_ready() override { report(Report::Kind::ready, {}); }
  void report_alive() override { report(Report::Kind::alive, {}); }
  void report_status(const std::string& text) override { report(Report::Kind::status, text); }
  void request_restart(const std::string& reason) override {
    report(Report::Kind::restart_wish, reason);
  }
  void request_tree_shutdown(const std::string& reason) override {
    report(Report::Kind::shutdown_wish, reason);
  }

 private:
  void report(Report::Kind kind, const std::string& text) {
    reports_.push_back({kind, now_, text});
  }
  void count_call_without_progress() const;

  std::string path_;
  std::uint64_t generation_ = 1;
  std::uint64_t attempt_ = 1;
  std::map<std::string, std::string> params_;
  Duration heartbeat_interval_ = Duration::zero();
  std::optional<Duration> stop_at_;
  Duration limit_ = std::chrono::hours{24};

  Duration now_ = Duration::zero();
  std::stop_source stop_;
  std::vector<Report> reports_;
  mutable std::uint64_t calls_without_progress_ = 0;
};

}  // namespace espalier::testing
