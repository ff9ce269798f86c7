#pragma once

#include <functional>
#include <string>
#include <thread>

namespace espalier::supervisor::internal {

/// Starts a named thread that takes no signals: a library leaves those to the program, and a write
/// to a closed pipe is then an error of that write (EPIPE), not the end of the program (SIGPIPE).
/// Throws std::system_error when there is no thread to be had.
[[nodiscard]] std::thread quiet_thread(const std::string& name, std::function<void()> body);

}  // namespace espalier::supervisor::internal
