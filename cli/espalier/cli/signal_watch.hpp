#pragma once

#include <functional>
#include <thread>

namespace espalier::cli {

/// Turns SIGTERM, SIGINT, SIGHUP and SIGWINCH into calls on a thread of its own.
///
/// Make it before the program's first thread: the constructor blocks the signals in the calling
/// thread, and threads inherit that. What arrives before `start` waits for it. SIGPIPE is ignored:
/// a reader that goes away is a write error, not the end. The destructor stops and leaves
/// the signals blocked, because the program is about to end.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// Once. `handle` gets the signal number.
  void start(std::function<void(int)> handle);
  /// Ends the thread; `handle` is not called any more. Safe to call twice.
  void stop();

 private:
  void run();

  int signals_ = -1;
  int end_ = -1;
  std::function<void(int)> handle_;
  std::thread thread_;
};

}  // namespace espalier::cli
