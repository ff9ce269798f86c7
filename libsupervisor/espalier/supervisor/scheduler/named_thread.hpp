#pragma once

#include <pthread.h>

#include <thread>
#include <utility>

namespace espalier::supervisor {

/// A thread whose name, of at most 15 characters, shows in `top -H` and in debuggers.
template <class Body>
std::thread named_thread(const char* name, Body body) {
  return std::thread{[name, run = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name);
    run();
  }};
}

}  // namespace espalier::supervisor
