#pragma once

#include "espalier/cli/remote/options.hpp"
#include "espalier/cli/remote/terminal.hpp"

namespace espalier::cli {

/// `espalier top`: a live picture of a running tree, and its commands on keys. Needs a terminal,
/// but for --once, which prints one picture as text.
[[nodiscard]] int top_verb(const RemoteOptions& options, const Terminal& terminal);

}  // namespace espalier::cli
