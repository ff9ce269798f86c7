#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>

namespace espalier::supervisor {

/// What becomes of events that a reader does not take as fast as they come. Whatever it is, no
/// supervisor ever waits for a reader.
enum class BackpressureStrategy : std::uint8_t {
  alert_and_block,   ///< It gets nothing until it has caught up; decision 015 says from where.
  sample_and_audit,  ///< Above the critical threshold only a part of what comes is kept.
};

struct BackpressureSpec {
  BackpressureStrategy strategy = BackpressureStrategy::alert_and_block;
  std::uint32_t warn_threshold_pct = 80;       ///< Of a reader's queue: an alert.
  std::uint32_t critical_threshold_pct = 95;   ///< Of a reader's queue: an error, and the strategy.
  Duration window = std::chrono::seconds{30};  ///< No second alert about the same reader in it.
  std::size_t audit_channel_capacity = 1024;   ///< Records of left-out events yet to be audited.
  double sample_ratio = 0.5;                   ///< The part that is kept, 0.01 to 1.
  bool operator==(const BackpressureSpec&) const = default;
};

}  // namespace espalier::supervisor
