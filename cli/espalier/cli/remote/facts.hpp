#pragma once

#include "espalier/cli/remote/diagnose.hpp"
#include "espalier/cli/remote/session.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace espalier::cli {

/// What `diagnose` looks at, asked of a target; who may not read its audit gets the rest.
[[nodiscard]] expected<DiagnoseFacts, Failure> ask_facts(Session& session);

/// Events or audit records as values; what cannot be read is left out.
[[nodiscard]] std::vector<ipc::Json> parsed(const std::vector<ipc::RawJson>& lines);

}  // namespace espalier::cli
