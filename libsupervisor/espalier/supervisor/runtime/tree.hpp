#pragma once

#include "espalier/supervisor/actor/supervisor_actor.hpp"
#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

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
  Tree(std::shared_ptr<TreeServices> services, Duration abort_wait);

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

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] TreeResult result_of(const effect::Finished& how);
  void note_stop(const std::string& cause);

  std::shared_ptr<TreeServices> services_;
  std::shared_ptr<ReportLine> line_ = std::make_shared<ReportLine>();
  Duration abort_wait_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool up_ = false;
  std::string stop_cause_;
  std::optional<Clock::time_point> stop_begun_;
  std::optional<effect::Finished> finished_;
  std::optional<TreeResult> result_;
};

}  // namespace espalier::supervisor
