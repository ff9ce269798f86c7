#include "espalier/cli/manager_reports.hpp"

#include <algorithm>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using namespace std::chrono_literals;

constexpr sv::Duration status_apart = 1s;
constexpr sv::Duration extensions_apart = 2s;
constexpr sv::Duration extension = 10s;    ///< Several times that: one or two may come late.
constexpr sv::Duration after_stop = 5s;    ///< For what follows the end of the tree: logs, journal.
constexpr sv::Duration longest_wait = 1s;  ///< For an answer of the tree.

}  // namespace

ManagerReports::ManagerReports(SystemdNotifier& notifier, const TreeFeed& feed,
                               sv::Duration stop_limit, sv::Duration between,
                               IsAnswering is_answering)
    : notifier_(notifier),
      feed_(feed),
      stop_limit_(stop_limit),
      between_(between),
      is_answering_(std::move(is_answering)) {}

void ManagerReports::tick(Clock::time_point now) {
  if (!notifier_.active()) return;
  if (!ready_ && feed_.is_up()) {
    ready_ = true;
    notifier_.ready();
  }
  if (feed_.is_stopping()) stopping(now);
  ask_the_tree(now);
  tell_status(now);
}

void ManagerReports::ask_the_tree(Clock::time_point now) {
  const auto watchdog = notifier_.watchdog_interval();
  const bool extends = stop_end_ ? now < *stop_end_ : !ready_;
  if (!watchdog && !extends) return;
  const sv::Duration apart = std::min(watchdog.value_or(extensions_apart),
                                      extends ? extensions_apart : sv::Duration::max());
  if (now - asked_at_ < apart - between_) return;
  asked_at_ = now;
  if (!is_answering_(std::min(apart / 2, longest_wait))) return;
  if (watchdog) notifier_.alive();
  if (extends) notifier_.extend_timeout(extension);
}

void ManagerReports::tell_status(Clock::time_point now) {
  if (now - status_at_ < status_apart) return;
  std::string status = feed_.status_line();
  if (status == status_) return;
  status_ = std::move(status);
  status_at_ = now;
  notifier_.status(status_);
}

void ManagerReports::stopping(Clock::time_point now) {
  if (stop_end_) return;
  stop_end_ = now + stop_limit_ + after_stop;
  notifier_.stopping();
  notifier_.extend_timeout(extension);
}

}  // namespace espalier::cli
