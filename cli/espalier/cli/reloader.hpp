#pragma once

#include "espalier/cli/run_socket.hpp"
#include "espalier/cli/systemd_notifier.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <atomic>
#include <string>
#include <thread>

namespace espalier::cli {

/// Reads the tree file again and lets the running tree follow it, on a thread of its own, so that
/// signals are heard meanwhile. A file with a fault changes nothing.
class Reloader {
 public:
  /// `source` outlives the reloader. `file`: its name, for people.
  Reloader(const supervisor::SupervisorHandle& handle, SystemdNotifier& notifier, std::string file,
           const TreeSource& source, Tell tell);
  ~Reloader() { wait(); }
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Begins a reload; while one is under way, another is refused with a word. One caller at a time.
  void start();
  /// Until the last one is done.
  void wait();

 private:
  void reload();

  supervisor::SupervisorHandle handle_;
  SystemdNotifier& notifier_;
  std::string file_;
  const TreeSource& source_;
  Tell tell_;
  std::atomic<bool> busy_ = false;
  std::thread thread_;
};

}  // namespace espalier::cli
