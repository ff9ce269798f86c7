#pragma once

#include "espalier/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::cli {

/// What `simulate` and `what-if` were asked for.
struct RehearsalWords {
  std::string file = {};  ///< Tree file.
  std::string script = {};
  std::vector<std::string> failures = {};
  std::uint64_t seed = 1;
  std::string length = "1d";
  std::string picture = {};  ///< Where the SVG goes.
  std::string journal = {};
  std::string output = "text";
};

/// Adds `simulate` and `what-if`.
void add_rehearsal(CLI::App& app, RehearsalWords& words);

/// Runs the tree of a file in virtual time and tells what it went through.
[[nodiscard]] int simulate_command(const RehearsalWords& words, std::size_t width,
                                   const Streams& streams);
/// Lets what a journal tells of happen again to another tree file, and compares.
[[nodiscard]] int what_if_command(const RehearsalWords& words, const Streams& streams);
/// `check --advise`: the worst case of the numbers chosen.
void print_advice(const supervisor::SupervisorSpec& tree, const Streams& streams);

}  // namespace espalier::cli
