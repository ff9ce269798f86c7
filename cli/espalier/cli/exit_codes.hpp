#pragma once

namespace espalier::cli {

/// What the program's exit status says to the shell, to systemd and to scripts.
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,          ///< The tree did not start, or a file could not be written.
  exit_usage = 2,           ///< The command line makes no sense.
  exit_unwell = 3,          ///< `status`, `health`, `diagnose`: not all is well.
  exit_denied = 4,          ///< No permission, or there is no such child.
  exit_config_invalid = 6,  ///< The tree file, or what it names on this machine, is wrong.
  exit_not_running = 7,     ///< No target there, or it cannot be reached.
  exit_refused = 8,         ///< The target refused: a conflict, a stale generation, a limit.
  exit_some_failed = 9,     ///< `pipeline run`: it went to its end, but some items failed.
  exit_escalated = 10,      ///< The root supervisor gave up.
  exit_abandoned = 11,      ///< Stopped, but something could not be ended; it is named.
  exit_not_written = 12,    ///< A checkpoint or dead letters cannot be written.
  exit_timed_out = 124,     ///< What was waited for did not come in time.
  exit_interrupted = 130,   ///< Ctrl-C; of `run`: a second signal cut the shutdown short.
};

}  // namespace espalier::cli
