#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace espalier::cli {

/// What `status` asks for. `nodes` of the snapshot: the one that was named and all below it.
struct StatusFacts {
  ipc::HelloResult hello = {};
  ipc::HealthResult health = {};
  ipc::Snapshot snapshot = {};
  std::vector<ipc::Json> failures = {};  ///< Events, oldest first.
  std::vector<ipc::LogLine> lines = {};
};
[[nodiscard]] std::string render_status(const StatusFacts& facts, const Terminal& terminal);
/// 0 where the tree is up, or the child ready; else 3.
[[nodiscard]] int status_code(const StatusFacts& facts);

}  // namespace espalier::cli
