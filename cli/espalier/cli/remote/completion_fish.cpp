#include "espalier/cli/remote/completion_facts.hpp"

namespace espalier::cli::completion {
namespace {

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_offer(const OptionFacts& option) {
  switch (option.offer) {
    case Offer::words:
      return " -x -a " + fish_quoted(join(option.words));
    case Offer::files:
      return " -r -F";
    case Offer::paths:
      return " -x -a '(__espalier_paths)'";
    case Offer::targets:
      return " -x -a '(__espalier_targets)'";
    case Offer::nothing:
      return " -x";
  }
  return "";
}

constexpr const char* fish_head =
    R"(# fish completion for espalier; put it into ~/.config/fish/completions/espalier.fish
function __espalier_paths
    set -l words (commandline -opc)
    set -l extra
    for i in (seq 2 (count $words))
        if contains -- $words[$i] --socket --target; and test $i -lt (count $words)
            set -a extra $words[$i] $words[(math $i + 1)]
        end
    end
    espalier __paths $extra 2>/dev/null
end
function __espalier_targets
    espalier targets 2>/dev/null | awk 'NR > 1 { print $1 }'
end
complete -c espalier -f
)";

}  // namespace

std::string fish_script(const std::vector<VerbFacts>& verbs) {
  std::string out = fish_head;
  for (const VerbFacts& verb : verbs) {
    out += "complete -c espalier -n __fish_use_subcommand -a " + fish_quoted(verb.name) + " -d " +
           fish_quoted(verb.help) + "\n";
    const std::string when =
        "complete -c espalier -n " + fish_quoted("__fish_seen_subcommand_from " + verb.name);
    for (const OptionFacts& option : verb.options) {
      if (option.names.empty() && option.offer == Offer::nothing) continue;
      out += when;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.takes_value) out += fish_offer(option);
      if (!option.names.empty()) out += " -d " + fish_quoted(option.help);
      out += "\n";
    }
  }
  return out;
}

}  // namespace espalier::cli::completion
