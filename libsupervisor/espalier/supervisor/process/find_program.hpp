#pragma once

#include "espalier/supervisor/process/process_host.hpp"

#include <string>

namespace espalier::supervisor {

/// find_program with an inherited PATH given by the caller instead of taken from the environment.
/// `program` of the result is absolute.
[[nodiscard]] ProgramLookup find_program_in(const ProcessSpec& spec,
                                            const std::string& inherited_path);

/// The PATH of a process that has none.
inline constexpr const char* default_path = "/usr/local/bin:/usr/bin:/bin";

}  // namespace espalier::supervisor
