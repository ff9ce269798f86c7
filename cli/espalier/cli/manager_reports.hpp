#pragma once

#include "espalier/cli/live_screen.hpp"
#include "espalier/cli/systemd_notifier.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace espalier::cli {

/// Tells the service manager how the tree is doing; called now and then by the main thread.
///
/// Signs of life and more time for a start or a stop are asked for only after a question went
/// through the tree and came back: of a tree that hangs the manager hears nothing more, and ends
/// it.
class ManagerReports {
 public:
  using Clock = std::chrono::steady_clock;
  /// Whether the tree still answers.
  using IsAnswering = std::function<bool(supervisor::Duration limit)>;
  /// `stop_limit`: what the whole shutdown may take. `between`: from one tick to the next, at most.
  ManagerReports(SystemdNotifier& notifier, const TreeFeed& feed, supervisor::Duration stop_limit,
                 supervisor::Duration between, IsAnswering is_answering);

  void tick(Clock::time_point now);
  /// The tree stops, or has ended. Safe to call again.
  void stopping(Clock::time_point now);

 private:
  void ask_the_tree(Clock::time_point now);
  void tell_status(Clock::time_point now);

  SystemdNotifier& notifier_;
  const TreeFeed& feed_;
  supervisor::Duration stop_limit_;
  supervisor::Duration between_;
  IsAnswering is_answering_;
  bool ready_ = false;
  std::optional<Clock::time_point> stop_end_ = {};  ///< When the shutdown is over at the latest.
  std::string status_ = {};
  Clock::time_point status_at_ = {};
  Clock::time_point asked_at_ = {};
};

}  // namespace espalier::cli
