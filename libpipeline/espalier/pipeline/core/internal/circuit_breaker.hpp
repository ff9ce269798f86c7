#pragma once

#include "espalier/pipeline/core/counts.hpp"
#include "espalier/pipeline/core/options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::pipeline {

/// Keeps a stage from hammering something that is down.
///
///            too many failures                 open_for is over
///   closed ──────────────────▶ open ──────────────────────────▶ half_open
///     ▲                          ▲            a probe fails         │
///     │                          └──────────────────────────────────┤
///     └─────────────────────────────────────────────────────────────┘
///                             all probes succeed
///
/// Attempts that began before the last change of state say nothing about the present one; the
/// ticket tells them apart. `now` must not go backwards. O(1).
class CircuitBreaker {
 public:
  using State = StageStats::Breaker;
  explicit CircuitBreaker(const BreakerOptions& options);

  [[nodiscard]] State state() const { return state_; }
  /// How many attempts may begin now. When it is 0, see `next`, or wait for a probe's answer.
  [[nodiscard]] std::size_t allowed(TimePoint now);
  /// So many attempts begin. Precondition: allowed. The ticket is for their `record`.
  [[nodiscard]] std::uint64_t begin(std::size_t count);
  void record(std::uint64_t ticket, bool success, TimePoint now);
  /// An attempt ended without saying anything: if it was a probe, another may take its place.
  void forget(std::uint64_t ticket);
  /// When an open one lets probes through.
  [[nodiscard]] std::optional<TimePoint> next() const;
  void advance(TimePoint now);

 private:
  void change(State to, TimePoint now);
  void count(bool success, TimePoint now);

  BreakerOptions options_;
  State state_ = State::closed;
  std::uint64_t generation_ = 1;
  TimePoint open_until_ = {};
  std::vector<bool> failed_ = {};  ///< The last attempts, as a ring.
  std::size_t next_place_ = 0;
  std::size_t seen_ = 0;
  std::size_t failures_ = 0;
  std::size_t probes_begun_ = 0;
  std::size_t probes_passed_ = 0;
};

}  // namespace espalier::pipeline
