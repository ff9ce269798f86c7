#pragma once

namespace espalier::cli {

/// What the program's exit status says to the shell, to systemd and to scripts.
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,          ///< The tree did not start, or a file could not be written.
  exit_usage = 2,           ///< The command line makes no sense.
  exit_config_invalid = 6,  ///< The tree file, or what it names on this machine, is wrong.
  exit_escalated = 10,      ///< The root supervisor gave up.
  exit_abandoned = 11,      ///< Stopped, but something could not be ended; it is named.
  exit_interrupted = 130,   ///< A second signal cut the shutdown short.
};

}  // namespace espalier::cli
