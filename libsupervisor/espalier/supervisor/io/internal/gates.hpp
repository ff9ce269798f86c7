#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// What keeps a gate shut, for people; empty: it is free. Asks the operating system and does not
/// wait: a connect to a Unix socket, a bind to a port (where it may be bound), a look at a process.
///
/// `value` is a socket's path; "port" or "host:port" with a numeric host, all addresses without
/// one; the path of a pid file.
[[nodiscard]] std::string gate_problem(const StartGate& gate);

/// That of the first gate that is not free.
[[nodiscard]] std::string gate_problem(const std::vector<StartGate>& gates);

}  // namespace espalier::supervisor::internal
