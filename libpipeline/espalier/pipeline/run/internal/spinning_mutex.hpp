#pragma once

#include <pthread.h>

#include <mutex>

namespace espalier::pipeline::internal {

/// A mutex that waits for some hundred nanoseconds before it lets its thread sleep: to sleep and to
/// be woken costs several microseconds, and the Runner's lock is held for less than one.
class SpinningMutex : public std::mutex {
 public:
  SpinningMutex() noexcept {
    ::pthread_mutexattr_t kind;
    ::pthread_mutexattr_init(&kind);
    ::pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP);
    ::pthread_mutex_init(native_handle(), &kind);
    ::pthread_mutexattr_destroy(&kind);
  }
};

}  // namespace espalier::pipeline::internal
