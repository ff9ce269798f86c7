#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace espalier::cli {

/// The script by which a shell (bash, zsh, fish) completes `app`: sub-commands, options, the words
/// an option may have, files, and paths of the running tree, for which it calls `espalier __paths`.
/// Empty for another shell.
[[nodiscard]] std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace espalier::cli
