#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::cli::completion {

/// What a shell can offer for a value.
enum class Offer : std::uint8_t { nothing, words, files, paths, targets };

struct OptionFacts {
  std::vector<std::string> names = {};  ///< With dashes; empty: positional.
  std::string help = {};
  bool takes_value = false;
  Offer offer = Offer::nothing;
  std::vector<std::string> words = {};
};

struct VerbFacts {
  std::string name = {};
  std::string help = {};
  std::vector<OptionFacts> options = {};
};

/// What of a program is to be completed; what is hidden in its help is left out.
[[nodiscard]] std::vector<VerbFacts> verbs_of(const CLI::App& app);

/// The words with a blank, or `between`, between them.
[[nodiscard]] std::string join(const std::vector<std::string>& words, const char* between = " ");
/// In single quotes for bash and zsh.
[[nodiscard]] std::string quoted(const std::string& text);

[[nodiscard]] std::string bash_script(const std::vector<VerbFacts>& verbs);
[[nodiscard]] std::string zsh_script(const std::vector<VerbFacts>& verbs);
[[nodiscard]] std::string fish_script(const std::vector<VerbFacts>& verbs);

}  // namespace espalier::cli::completion
