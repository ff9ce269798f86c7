#pragma once

#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier::supervisor {

/// Counts restarts inside a sliding window whose both ends belong to it.
///
/// Keeps at most `max_restarts` instants, so memory is bounded by the limit, and nothing is
/// allocated before the first restart. `record` is amortised O(1) whatever limit and window are.
class RestartWindow {
 public:
  /// Counts one restart at `now`; false: it is one more than the limit allows, and then it is not
  /// kept. `now` must not go backwards.
  bool record(const RestartLimit& limit, TimePoint now);
  /// Restarts that still count at `now`.
  [[nodiscard]] std::uint64_t count(const RestartLimit& limit, TimePoint now);
  void clear();

 private:
  void forget_old(const RestartLimit& limit, TimePoint now);
  void grow();

  std::vector<TimePoint> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace espalier::supervisor
