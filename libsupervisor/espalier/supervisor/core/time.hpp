#pragma once

#include <chrono>

namespace espalier::supervisor {

/// Spans and instants of the monotonic clock. A core never reads a clock: instants come in as
/// arguments, so that wall-clock jumps change nothing and tests run in virtual time.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

}  // namespace espalier::supervisor
