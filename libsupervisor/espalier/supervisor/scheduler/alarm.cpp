#include "espalier/supervisor/scheduler/alarm.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace espalier::supervisor {

Alarm::Alarm() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
  if (!timer_)
    throw std::system_error{errno, std::generic_category(), "no timer for the scheduler"};
}

// The steady clock is CLOCK_MONOTONIC. A time that is past rings at once; zero would mean never.
void Alarm::set(TimePoint when) {
  using namespace std::chrono;
  const auto since = std::max(nanoseconds{1}, duration_cast<nanoseconds>(when.time_since_epoch()));
  itimerspec time{};
  time.it_value.tv_sec = static_cast<time_t>(since / 1s);
  time.it_value.tv_nsec = static_cast<long>((since % 1s).count());
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

void Alarm::wait() {
  std::uint64_t rung = 0;
  while (::read(timer_.get(), &rung, sizeof rung) < 0 && errno == EINTR) {
  }
}

}  // namespace espalier::supervisor
