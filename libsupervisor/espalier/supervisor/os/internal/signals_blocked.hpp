#pragma once

#include <csignal>

namespace espalier::supervisor::internal {

/// While it lives, this thread and the threads it starts take no signals. A library's threads
/// leave signals to the program; and a write to a closed pipe then is an error of that write
/// (EPIPE) instead of the end of the program (SIGPIPE).
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

}  // namespace espalier::supervisor::internal
