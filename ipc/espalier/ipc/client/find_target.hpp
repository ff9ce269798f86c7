#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <string>
#include <vector>

namespace espalier::ipc {

/// A socket in a runtime folder that somebody answers on, or does not any more.
struct FoundTarget {
  std::string path = {};
  std::string name = {};  ///< File name without `.sock`.
  bool alive = false;
};

/// Folders in which this user's targets may be: those of runtime_folder, and /run/espalier.
[[nodiscard]] std::vector<std::string> runtime_folders();
/// All sockets there, sorted by name. Connects to each for a moment, and waits for none.
[[nodiscard]] std::vector<FoundTarget> list_targets(const std::vector<std::string>& folders);
/// The only one alive, or the one named `name` where that is not empty. The error says what is
/// there and how to choose.
[[nodiscard]] expected<std::string, std::string> find_target(
    const std::string& name, const std::vector<std::string>& folders);

}  // namespace espalier::ipc
