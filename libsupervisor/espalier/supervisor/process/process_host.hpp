#pragma once

#include "espalier/supervisor/core/engine_io.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/process/copy_wire.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

class Guardian;

/// Hears what one process does. Called on the host's thread, never after `on_exit`; must be quick
/// and must not block or throw.
class ProcessListener {
 public:
  virtual ~ProcessListener() = default;
  virtual void on_running(std::int64_t pid) = 0;
  virtual void on_ready() = 0;                          ///< READY=1
  virtual void on_alive() = 0;                          ///< WATCHDOG=1
  virtual void on_extend(Duration by) = 0;              ///< EXTEND_TIMEOUT_USEC=
  virtual void on_status(const std::string& text) = 0;  ///< STATUS=
  /// Only an isolated function can ask.
  virtual void on_asks(input::Wish /*wish*/, const std::string& /*reason*/) {}
  virtual void on_output(bool is_stderr, std::string line, bool truncated) = 0;
  /// The process is gone, with it what was left of its process group; or it never came to be
  /// (kind failed, message says why). Exactly once, last.
  virtual void on_exit(const ExitRecord& exit) = 0;
};

struct LaunchRequest {
  std::string path = {};  ///< Of the child; the process sees it as ESPALIER_PATH.
  std::uint64_t generation = 0;
  /// With `call`: its command is not used, and the whole may be null.
  std::shared_ptr<const ProcessSpec> spec = {};
  Duration watchdog = Duration::zero();  ///< Told to the process as WATCHDOG_USEC when not zero.
  std::shared_ptr<ProcessListener> listener = {};
  /// Not null: run this function in a copy of this program (child_main.hpp) instead of a command.
  /// It counts as running once the copy says so; a stop is said to it instead of the stop signal,
  /// and it has no NOTIFY_SOCKET.
  std::shared_ptr<const CopyCall> call = {};
};

/// A descendant that outlived its supervision.
struct LeftoverProcess {
  std::int64_t pid = 0;
  std::string path = {};  ///< Of the child it came from; empty where that cannot be told.
  std::string command = {};
};

using ProcessToken = std::uint64_t;

/// Runs operating-system processes for a whole tree on one thread.
///
/// The problem: waiting for thousands of processes, their output and their notify messages must
/// not cost a thread each, a pid may be reused between a death and a kill, and the parent-death
/// signal follows the thread that forked. So one thread forks, waits (pidfd), reads and signals.
///
/// Each process is the leader of its own process group and gets SIGKILL when this process dies.
/// When the leader is gone the rest of its group is killed before the exit is reported.
///
/// Thread rule: every member may be called from any thread; none blocks on a process.
class ProcessHost {
 public:
  struct Options {
    bool subreaper = false;  ///< Adopt and reap descendants whose parent died.
    /// Told of every process group; null: none. See guardian.hpp.
    std::shared_ptr<Guardian> guardian = {};
    /// The soft limit of open files a process starts with unless its spec says; absent: ours.
    /// For a program that raised its own, which children built on select(2) could not bear.
    std::optional<std::uint64_t> open_files = {};
  };
  ProcessHost();  ///< With default options.
  explicit ProcessHost(Options options);
  ~ProcessHost();  ///< Kills what still runs and waits for it; listeners still hear of it.
  ProcessHost(const ProcessHost&) = delete;
  ProcessHost& operator=(const ProcessHost&) = delete;

  ProcessToken launch(LaunchRequest request);
  /// Sends the configured stop signal to the process group (and SIGCONT). Unknown: no effect.
  void stop(ProcessToken token);
  /// Sends SIGKILL to the process group. Unknown: no effect.
  void abort(ProcessToken token);
  /// Sends SIGSTOP or SIGCONT to the process group: its clock stands still or goes on. A stop
  /// lets it go on, an abort need not. Unknown: no effect.
  void suspend(ProcessToken token, bool suspended);

  /// Processes of ours that are alive now.
  [[nodiscard]] std::size_t running() const;
  /// Looks at the world: living descendants that are no running child of this host. Only a
  /// subreaper sees all of them. Found ones are killed and reaped.
  std::vector<LeftoverProcess> end_leftovers();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Where the program of a command is, as the launcher will look it up (PATH of `environment` or
/// ours; relative to cwd when it has a slash); else why it cannot be run.
struct ProgramLookup {
  std::string program = {};
  std::string problem = {};  ///< Empty: fine.
};
[[nodiscard]] ProgramLookup find_program(const ProcessSpec& spec);

}  // namespace espalier::supervisor
