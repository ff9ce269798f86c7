#pragma once

#include <string>

namespace espalier::ipc {

/// Makes a folder for sockets, mode 0700, where it is missing. What is wrong with the one that is
/// there: a link, no folder, somebody else's, or others may write to it; empty: it can be used.
[[nodiscard]] std::string make_runtime_folder(const std::string& folder);

}  // namespace espalier::ipc
