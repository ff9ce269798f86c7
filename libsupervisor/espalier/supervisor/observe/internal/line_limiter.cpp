#include "espalier/supervisor/observe/internal/line_limiter.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor::internal {

bool LineLimiter::passes(const std::string& kind, Severity severity, TimePoint now) {
  if (lines_ == 0) return true;
  while (!ends_.empty() && ends_.front().at <= now)
    close_first(not_yet_told_);
  auto found = windows_.find(kind);
  if (found == windows_.end()) {
    const bool fits = windows_.size() < max_kinds;
    found = windows_.try_emplace(fits ? kind : std::string{}).first;
    if (found->second.passed == 0) ends_.push_back({now + window_, found->first});
  }
  auto& window = found->second;
  if (window.passed < lines_) {
    ++window.passed;
    return true;
  }
  ++window.left_out;
  ++left_out_;
  window.worst = std::max(window.worst, severity);
  return false;
}

void LineLimiter::close_first(std::vector<LeftOut>& out) {
  auto window = windows_.extract(ends_.front().kind);
  ends_.pop_front();
  const auto& counts = window.mapped();
  if (counts.left_out != 0) out.push_back({std::move(window.key()), counts.left_out, counts.worst});
}

std::vector<LineLimiter::LeftOut> LineLimiter::take_ended(TimePoint now) {
  auto out = std::exchange(not_yet_told_, {});
  while (!ends_.empty() && ends_.front().at <= now)
    close_first(out);
  return out;
}

}  // namespace espalier::supervisor::internal
