#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::cli {

/// What the command line of a verb on a running target said. One struct for all verbs: each fills
/// what it has options for and leaves the rest as it is.
struct RemoteOptions {
  // Which target, how long to wait for it, how to print.
  std::string socket = {};
  std::string target = {};
  std::string timeout = {};  ///< Empty: as the verb wants it.
  std::string output = "text";
  std::string color = "auto";

  // What it is about.
  std::vector<std::string> paths = {};
  bool all = false;
  std::string file = {};   ///< apply, plan: a tree file; add: FILE:PATH.
  std::string size = {};   ///< scale: N, +N or -N.
  std::string group = {};  ///< reset: the group of a supervisor, not a child.
  std::string shell = {};  ///< completion

  // How to change it.
  std::string reason = {};
  bool dry_run = false;
  bool yes = false;
  std::optional<std::uint64_t> expected_generation = {};
  std::string command_id = {};

  // How to look at it.
  std::optional<std::uint64_t> depth = {};
  std::string sort = "path";
  std::string filter = {};
  bool follow = false;
  std::optional<std::uint64_t> lines = {};
  std::string level = "info";
  std::optional<std::uint64_t> since = {};
  std::vector<std::string> types = {};
  std::string severity = {};
  std::string until = {};  ///< wait: ready, stopped, removed.
  bool read_only = false;  ///< top: no commands.
  bool once = false;       ///< top: one picture.
  std::string to = {};     ///< support-bundle: file that is written.

  /// The only path, or `fallback`.
  [[nodiscard]] std::string path(const std::string& fallback = "/") const {
    return paths.empty() ? fallback : paths.front();
  }
};

}  // namespace espalier::cli
