#pragma once

#include <optional>
#include <string>

namespace espalier::cli {

struct RunOptions {
  std::string file = {};
  std::string events = {};  ///< Where events go as NDJSON; "-": standard output; empty: nowhere.
  std::string log_format = {};  ///< auto, text, json, journald; empty: as the file.
  std::string color = "auto";
  /// Listen here whatever the file says; empty: where the file says, or in the runtime folder.
  std::optional<std::string> socket = {};
  bool no_socket = false;  ///< Do not listen, whatever the file says.
  std::string scheduler = "espalier";  ///< Or "sharing".
  bool live = true;        ///< Show the tree where standard output is a terminal.
};

/// Runs a tree in the foreground until it ends or a signal ends it; see exit_codes.hpp for the
/// answer. To be called once, before the program has another thread: it arranges signals, takes
/// NOTIFY_SOCKET out of the environment and raises the limit of open files. Where something could
/// not be ended, or a second signal came, it leaves the process itself, without destructors that
/// would wait.
[[nodiscard]] int run_command(const RunOptions& options);

}  // namespace espalier::cli
