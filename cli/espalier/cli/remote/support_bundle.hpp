#pragma once

#include "espalier/cli/remote/session.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace espalier::cli {

/// All that a target, a tree file and this machine tell about a tree, as one document, without what
/// looks like a secret (see redact.hpp). What cannot be had is named in `left_out` with the reason;
/// nothing of that ends it. `config_file`: empty: none.
[[nodiscard]] ipc::Json support_bundle(Session& session, const std::string& config_file);

}  // namespace espalier::cli
