#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"

#include <chrono>

namespace espalier::supervisor {

/// Wakes one thread at a set time. To set it costs a system call (0.3 us) and wakes nobody, where
/// a condition variable would have to wake the waiting thread to tell it of an earlier time.
///
/// `set` may be called from any thread, `wait` from one. Only the last set time counts.
class Alarm {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Alarm();  ///< Throws std::system_error where no descriptor is to be had.
  void set(TimePoint when);
  /// Until the set time has come; each set time is waited for once.
  void wait();

 private:
  UniqueFd timer_;
};

}  // namespace espalier::supervisor
