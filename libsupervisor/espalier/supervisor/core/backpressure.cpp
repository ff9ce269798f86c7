#include "espalier/supervisor/core/backpressure.hpp"

#include <algorithm>

namespace espalier::supervisor {

Backpressure::Verdict Backpressure::offer(std::size_t waiting, std::size_t capacity,
                                          TimePoint now) {
  const auto full = std::max<std::size_t>(capacity, 1);
  const auto fill_pct = static_cast<std::uint32_t>(std::min(waiting, full) * 100 / full);
  if (fill_pct >= spec_.critical_threshold_pct) limiting_ = true;
  if (fill_pct < spec_.warn_threshold_pct) limiting_ = false;
  auto alert = alert_for(fill_pct, now);
  return {take(), alert};
}

// It counts as recovered at half of the warn threshold only, so that one which lives at its border
// is told once.
std::optional<Backpressure::Alert> Backpressure::alert_for(std::uint32_t fill_pct, TimePoint now) {
  const auto before = level_;
  if (fill_pct >= spec_.critical_threshold_pct) {
    level_ = Level::critical;
  } else if (fill_pct >= spec_.warn_threshold_pct) {
    level_ = std::max(level_, Level::warn);
  } else if (fill_pct * 2 < spec_.warn_threshold_pct) {
    level_ = Level::normal;
  }
  if (level_ == before) return {};
  if (level_ == Level::normal && !told_) return {};
  auto& last = told_at_.at(static_cast<std::size_t>(level_));
  if (level_ != Level::normal && last && now - *last < spec_.window) return {};
  last = now;
  told_ = level_ != Level::normal;
  return Alert{level_, fill_pct};
}

Backpressure::Take Backpressure::take() {
  if (!limiting_) return Take::keep;
  if (spec_.strategy == BackpressureStrategy::alert_and_block) return Take::block;
  owed_ += spec_.sample_ratio;
  if (owed_ < 1) return Take::leave_out;
  owed_ -= 1;
  return Take::keep;
}

const char* to_string(Backpressure::Level x) {
  switch (x) {
    case Backpressure::Level::normal:
      return "recovered";
    case Backpressure::Level::warn:
      return "warn";
    case Backpressure::Level::critical:
      return "critical";
  }
  return "unknown";
}

}  // namespace espalier::supervisor
