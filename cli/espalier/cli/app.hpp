#pragma once

#include "espalier/cli/commands.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// The whole program behind main: reads the arguments (without the program's name), does what they
/// say and answers with the exit status. `run` is only for a program without other threads.
[[nodiscard]] int run_app(const std::vector<std::string>& arguments, const Streams& streams);

}  // namespace espalier::cli
