#include "espalier/supervisor/io/internal/quiet_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace espalier::supervisor::internal {

namespace {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

std::thread quiet_thread(const std::string& name, std::function<void()> body) {
  const SignalsBlocked blocked;
  return std::thread{[name = name.substr(0, 15), run = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    run();
  }};
}

}  // namespace espalier::supervisor::internal
