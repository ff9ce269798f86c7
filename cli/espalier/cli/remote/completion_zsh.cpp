#include "espalier/cli/remote/completion_facts.hpp"

namespace espalier::cli::completion {
namespace {

std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_offer(const OptionFacts& option) {
  switch (option.offer) {
    case Offer::words:
      return "(" + join(option.words) + ")";
    case Offer::files:
      return "_files";
    case Offer::paths:
      return "_espalier_paths";
    case Offer::targets:
      return "_espalier_targets";
    case Offer::nothing:
      return " ";
  }
  return " ";
}

std::string zsh_argument(const OptionFacts& option) {
  const std::string value = ":value:" + zsh_offer(option);
  if (option.names.empty()) return quoted("*" + value);
  std::string out;
  for (const std::string& name : option.names) {
    out += (out.empty() ? "" : " ") +
           quoted(name + "[" + zsh_text(option.help) + "]" + (option.takes_value ? value : ""));
  }
  return out;
}

constexpr const char* zsh_head = R"sh(#compdef espalier
# zsh completion for espalier; put it as _espalier into a folder of $fpath.
_espalier_paths() {
  local -a extra found
  local i
  for ((i = 2; i < $#words; i++)); do
    case $words[i] in
      --socket|--target) extra+=($words[i] $words[i+1]) ;;
    esac
  done
  found=(${(f)"$(espalier __paths $extra 2>/dev/null)"})
  compadd -a found
}
_espalier_targets() {
  local -a found
  found=(${(f)"$(espalier targets 2>/dev/null | awk 'NR > 1 { print $1 }')"})
  compadd -a found
}
_espalier() {
  local -a verbs
)sh";

}  // namespace

std::string zsh_script(const std::vector<VerbFacts>& verbs) {
  std::string out = zsh_head;
  out += "  verbs=(\n";
  for (const VerbFacts& verb : verbs)
    out += "    " + quoted(verb.name + ":" + zsh_text(verb.help)) + "\n";
  out += "  )\n  if ((CURRENT == 2)); then\n    _describe verb verbs\n    return\n  fi\n";
  out += "  local verb=$words[2]\n  shift words\n  ((CURRENT--))\n  case $verb in\n";
  for (const VerbFacts& verb : verbs) {
    out += "    " + verb.name + ")\n      _arguments";
    for (const OptionFacts& option : verb.options)
      out += " \\\n        " + zsh_argument(option);
    out += " ;;\n";
  }
  return out + "  esac\n}\n_espalier \"$@\"\n";
}

}  // namespace espalier::cli::completion
