#pragma once

#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace espalier::cli {

/// What is written where. `run` writes to the real descriptors, the others only here.
struct Streams {
  std::ostream& out;
  std::ostream& err;
};

/// How trees and children are read here: with the built-in factories and ESPALIER__ variables.
[[nodiscard]] supervisor::LoadOptions load_options();
/// A tree file ("-": standard input), read so.
[[nodiscard]] expected<supervisor::TreeConfig, std::vector<supervisor::ConfigProblem>> load_tree(
    const std::string& file);

/// Each answers with the exit status of the program.
[[nodiscard]] int check_command(const std::string& file, bool advise, const Streams& streams);
/// The same for programs: problems and warnings with their places, and the order of start.
[[nodiscard]] int check_as_json(const std::string& file, const Streams& streams);
[[nodiscard]] int config_command(const std::string& file, const Streams& streams);
/// What it takes to go from the tree in `against` to the one in `file`; empty: from nothing.
[[nodiscard]] int plan_command(const std::string& file, const std::string& against, bool json,
                               const Streams& streams);
[[nodiscard]] int version_command(bool json, const Streams& streams);

}  // namespace espalier::cli
