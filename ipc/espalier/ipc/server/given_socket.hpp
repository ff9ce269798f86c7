#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <string>

namespace espalier::ipc {

/// The path of a socket that somebody else has bound and handed to us. The error says what it is
/// instead of a Unix stream socket that listens at a path, and what to change; it is meant for who
/// writes the socket unit.
[[nodiscard]] expected<std::string, std::string> path_of_given(int fd);

}  // namespace espalier::ipc
