#include "espalier/cli/remote/completion_facts.hpp"

namespace espalier::cli::completion {
namespace {

std::string names_of(const std::vector<VerbFacts>& verbs) {
  std::string out;
  for (const VerbFacts& verb : verbs)
    out += (out.empty() ? "" : " ") + verb.name;
  return out;
}

std::string option_names(const VerbFacts& verb) {
  std::string out;
  for (const OptionFacts& option : verb.options) {
    for (const std::string& name : option.names)
      out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

const OptionFacts* positional_of(const VerbFacts& verb) {
  for (const OptionFacts& option : verb.options) {
    if (option.names.empty()) return &option;
  }
  return nullptr;
}

std::string bash_offer(const OptionFacts& option) {
  switch (option.offer) {
    case Offer::words:
      return "COMPREPLY=($(compgen -W " + quoted(join(option.words)) + " -- \"$cur\"))";
    case Offer::files:
      return "COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Offer::paths:
      return "COMPREPLY=($(compgen -W \"$(_espalier_paths)\" -- \"$cur\"))";
    case Offer::targets:
      return "COMPREPLY=($(compgen -W \"$(_espalier_targets)\" -- \"$cur\"))";
    case Offer::nothing:
      return ":";
  }
  return ":";
}

constexpr const char* bash_head =
    R"(# bash completion for espalier; put it where bash-completion looks, or source it.
_espalier_paths() {
  local i extra=()
  for ((i = 1; i < ${#COMP_WORDS[@]} - 1; i++)); do
    case "${COMP_WORDS[i]}" in
      --socket|--target) extra+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
    esac
  done
  espalier __paths "${extra[@]}" 2>/dev/null
}
_espalier_targets() {
  espalier targets 2>/dev/null | awk 'NR > 1 { print $1 }'
}
_espalier() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
  COMPREPLY=()
)";

}  // namespace

std::string bash_script(const std::vector<VerbFacts>& verbs) {
  std::string out = bash_head;
  out += "  if ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W " + quoted(names_of(verbs)) +
         " -- \"$cur\"))\n    return\n  fi\n";
  out += "  case \"$verb $prev\" in\n";
  for (const VerbFacts& verb : verbs) {
    for (const OptionFacts& option : verb.options) {
      if (!option.takes_value || option.names.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names)
        patterns.push_back(quoted(verb.name + " " + name));
      out += "    " + join(patterns, "|") + ") " + bash_offer(option) + "; return ;;\n";
    }
  }
  out += "  esac\n  case \"$verb\" in\n";
  for (const VerbFacts& verb : verbs) {
    out += "    " + quoted(verb.name) + ")\n      if [[ $cur == -* ]]; then\n" +
           "        COMPREPLY=($(compgen -W " + quoted(option_names(verb)) + " -- \"$cur\"))\n";
    const OptionFacts* const positional = positional_of(verb);
    out += "      else\n        " + (positional != nullptr ? bash_offer(*positional) : ":") +
           "\n      fi ;;\n";
  }
  return out + "  esac\n}\ncomplete -o default -F _espalier espalier\n";
}

}  // namespace espalier::cli::completion
