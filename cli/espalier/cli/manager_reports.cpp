#include "espalier/cli/manager_reports.hpp"

#include <algorithm>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

ManagerReports::ManagerReports(const SystemdNotifier& notifier, const TreeFeed& feed,
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
    notifier_.send("READY=1");
  }
  if (feed_.is_stopping()) stopping();
  const auto interval = notifier_.watchdog_interval();
  if (interval && now - alive_at_ >= *interval - between_) {
    alive_at_ = now;
    if (is_answering_(std::min<sv::Duration>(*interval / 2, 1s))) notifier_.send("WATCHDOG=1");
  }
  if (now - status_at_ < 1s) return;
  if (std::string status = feed_.status_line(); status != status_) {
    status_ = std::move(status);
    status_at_ = now;
    notifier_.send("STATUS=" + status_);
  }
}

void ManagerReports::stopping() {
  if (std::exchange(stopping_, true)) return;
  const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(stop_limit_ + 5s);
  notifier_.send("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(limit.count()));
}

}  // namespace espalier::cli
