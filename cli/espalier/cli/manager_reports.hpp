#pragma once

#include "espalier/cli/live_screen.hpp"
#include "espalier/cli/systemd_notifier.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace espalier::cli {

/// Tells the service manager how the tree is doing; called now and then by the main thread.
class ManagerReports {
 public:
  using Clock = std::chrono::steady_clock;
  /// Whether the tree still answers.
  using IsAnswering = std::function<bool(supervisor::Duration limit)>;
  /// `between`: from one tick to the next, at most.
  ManagerReports(const SystemdNotifier& notifier, const TreeFeed& feed,
                 supervisor::Duration stop_limit, supervisor::Duration between,
                 IsAnswering is_answering);

  void tick(Clock::time_point now);
  /// Once, however often it is called.
  void stopping();

 private:
  const SystemdNotifier& notifier_;
  const TreeFeed& feed_;
  supervisor::Duration stop_limit_;
  supervisor::Duration between_;
  IsAnswering is_answering_;
  bool ready_ = false;
  bool stopping_ = false;
  std::string status_;
  Clock::time_point status_at_ = {};
  Clock::time_point alive_at_ = {};
};

}  // namespace espalier::cli
