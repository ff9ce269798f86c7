#include "espalier/pipeline/core/internal/adaptive_limit.hpp"

#include <algorithm>
#include <chrono>

namespace espalier::pipeline {

namespace {
constexpr double much_slower = 1.5;
constexpr double fair_share = 0.3;  // Of what so many workers would bring if nothing else counted.
constexpr std::uint32_t longest_pause = 32;
}  // namespace

AdaptiveLimit::AdaptiveLimit(const AdaptiveOptions& options, std::uint32_t now)
    : options_(options),
      limit_(std::clamp(now, options.min, std::max(options.min, options.max))),
      before_(limit_) {}

void AdaptiveLimit::set(std::uint32_t workers) {
  limit_ = workers;
  trying_ = false;
}

void AdaptiveLimit::move_to(std::uint32_t workers) {
  limit_ = std::clamp(workers, options_.min, options_.max);
}

void AdaptiveLimit::rest() {
  pause_ = patience_;
  patience_ = std::min(patience_ * 2, longest_pause);
}

bool AdaptiveLimit::was_worth_it(double rate) const {
  const auto change = static_cast<double>(limit_) / static_cast<double>(before_) - 1;
  return rate >= rate_before_ * (1 + fair_share * change);
}

bool AdaptiveLimit::became_slow(double seconds_each) {
  const bool slow = usual_seconds_ > 0 && seconds_each > usual_seconds_ * much_slower;
  usual_seconds_ =
      usual_seconds_ == 0 ? seconds_each : usual_seconds_ + (seconds_each - usual_seconds_) / 4;
  return slow;
}

void AdaptiveLimit::judge(double rate) {
  trying_ = false;
  if (was_worth_it(rate)) {
    patience_ = 1;
    return;
  }
  move_to(before_);
  upwards_ = !upwards_;
  rest();
}

void AdaptiveLimit::try_another(double rate) {
  before_ = limit_;
  rate_before_ = rate;
  const auto some = std::max(1u, limit_ / 4);
  move_to(upwards_ ? limit_ + some : limit_ - std::min(some, limit_ - 1));
  trying_ = limit_ != before_;
  if (trying_) return;
  upwards_ = !upwards_;  // At a bound.
  rest();
}

std::uint32_t AdaptiveLimit::step(const Load& load, Duration passed) {
  const double seconds = std::chrono::duration<double>(passed).count();
  if (load.attempts == 0 || seconds <= 0) return limit_;
  const double service = std::chrono::duration<double>(load.service).count();
  const double rate = static_cast<double>(load.attempts) / seconds;
  const bool slow = became_slow(service / static_cast<double>(load.attempts));
  const auto tried = trying_;
  if (tried) judge(rate);
  if (tried && pause_ > 0) return limit_;  // It was taken back.
  if (slow) {
    move_to(limit_ - limit_ / 4);
    upwards_ = false;
    pause_ = 1;
  } else if (load.queued == 0) {
    if (service / seconds < static_cast<double>(limit_) - 1) move_to(limit_ - 1);
  } else if (pause_ > 0) {
    --pause_;
  } else {
    try_another(rate);
  }
  return limit_;
}

}  // namespace espalier::pipeline
