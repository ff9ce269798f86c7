#pragma once

#include "espalier/supervisor/actor/supervisor_actor.hpp"
#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/observe/journal_ring.hpp"
#include "espalier/supervisor/runtime/event_hub.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
#include "espalier/supervisor/runtime/tree_watch.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace espalier::supervisor {

/// One tree between its root supervisor and those who wait for it.
///
/// Thread rule: every member may be called from any thread but `close`, which is for one thread
/// of its own.
class Tree final : public Uplink {
 public:
  struct Options {
    Duration abort_wait = {};
    std::size_t events_kept = 0;
    BackpressureSpec backpressure = {};
  };
  Tree(std::shared_ptr<TreeServices> services, const Options& options);

  [[nodiscard]] const std::shared_ptr<TreeServices>& services() const { return services_; }
  [[nodiscard]] const std::shared_ptr<ReportLine>& line() const { return line_; }

  void up() override;
  void finished(const effect::Finished& how) override;

  void request_stop(const std::string& cause, std::optional<Duration> limit);
  void abort();

  /// Waits for the root's end, looks at the world and completes the result.
  void close();

  /// True: it is up; false: it ended first, and the result is there.
  bool wait_up();
  [[nodiscard]] const TreeResult& result();
  [[nodiscard]] const TreeResult* result_within(Duration limit);
  [[nodiscard]] bool is_done();

  [[nodiscard]] RunSummary summary();
  [[nodiscard]] HealthReport health();
  [[nodiscard]] expected<TreeState, Error> state(const StateQuery& query);
  [[nodiscard]] expected<Why, Error> why(const std::string& path);
  [[nodiscard]] EventHub& hub() { return *hub_; }
  [[nodiscard]] const JournalRing& journal() const { return *journal_; }
  void note_stop(const std::string& cause);

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] TreeResult result_of(const effect::Finished& how);
  [[nodiscard]] ChildView root_view();

  std::shared_ptr<TreeServices> services_;
  std::shared_ptr<ReportLine> line_ = std::make_shared<ReportLine>();
  Duration abort_wait_;
  std::shared_ptr<JournalRing> journal_;  // For `why` and later readers.
  std::shared_ptr<EventHub> hub_;
  std::shared_ptr<TreeWatch> watch_ = std::make_shared<TreeWatch>(*services_);
  const std::chrono::system_clock::time_point launched_ = std::chrono::system_clock::now();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::chrono::system_clock::time_point> up_since_;
  std::chrono::system_clock::time_point ended_at_;
  std::string stop_cause_;
  std::optional<Clock::time_point> stop_begun_;
  std::optional<effect::Finished> finished_;
  std::optional<TreeResult> result_;
  std::optional<RunSummary> summary_;  // Of the end.
};

}  // namespace espalier::supervisor
