#include "espalier/supervisor/io/internal/quiet_thread.hpp"

#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <pthread.h>

#include <utility>

namespace espalier::supervisor::internal {

std::thread quiet_thread(const std::string& name, std::function<void()> body) {
  const SignalsBlocked blocked;
  return std::thread{[name = name.substr(0, 15), run = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    run();
  }};
}

}  // namespace espalier::supervisor::internal
