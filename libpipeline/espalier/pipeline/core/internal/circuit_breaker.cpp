#include "espalier/pipeline/core/internal/circuit_breaker.hpp"

#include <algorithm>
#include <limits>

namespace espalier::pipeline {

CircuitBreaker::CircuitBreaker(const BreakerOptions& options)
    : options_(options), failed_(std::max<std::size_t>(options.window, 1)) {
  options_.probes = std::max(options_.probes, 1u);
  // More attempts than are remembered can never be asked for.
  options_.minimum = std::min<std::uint32_t>(options_.minimum, options_.window);
}

std::size_t CircuitBreaker::allowed(TimePoint now) {
  advance(now);
  switch (state_) {
    case State::open:
      return 0;
    case State::half_open:
      return options_.probes - probes_begun_;
    default:
      return std::numeric_limits<std::size_t>::max();
  }
}

std::uint64_t CircuitBreaker::begin(std::size_t count) {
  if (state_ == State::half_open) probes_begun_ += count;
  return generation_;
}

void CircuitBreaker::record(std::uint64_t ticket, bool success, TimePoint now) {
  if (ticket != generation_) return;
  if (state_ == State::closed) return count(success, now);
  if (!success) return change(State::open, now);
  if (++probes_passed_ >= options_.probes) change(State::closed, now);
}

void CircuitBreaker::forget(std::uint64_t ticket) {
  if (ticket != generation_ || state_ != State::half_open) return;
  probes_begun_ -= std::min<std::size_t>(probes_begun_, 1);
}

void CircuitBreaker::count(bool success, TimePoint now) {
  if (seen_ == failed_.size()) {
    if (failed_[next_place_]) --failures_;
  } else {
    ++seen_;
  }
  failed_[next_place_] = !success;
  next_place_ = (next_place_ + 1) % failed_.size();
  if (success) return;
  ++failures_;
  const auto share = static_cast<double>(failures_) / static_cast<double>(seen_);
  if (seen_ >= options_.minimum && share >= options_.threshold) change(State::open, now);
}

void CircuitBreaker::change(State to, TimePoint now) {
  state_ = to;
  ++generation_;
  seen_ = failures_ = next_place_ = 0;
  probes_begun_ = probes_passed_ = 0;
  if (to == State::open) open_until_ = now + options_.open_for;
}

std::optional<TimePoint> CircuitBreaker::next() const {
  if (state_ != State::open) return std::nullopt;
  return open_until_;
}

void CircuitBreaker::advance(TimePoint now) {
  if (state_ == State::open && now >= open_until_) change(State::half_open, now);
}

}  // namespace espalier::pipeline
