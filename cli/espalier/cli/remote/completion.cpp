#include "espalier/cli/remote/completion.hpp"

#include "espalier/cli/remote/completion_facts.hpp"

namespace espalier::cli {
namespace completion {
namespace {

// A choice of words stands in the type name as "TEXT:{text,json}".
std::vector<std::string> words_of(const std::string& type) {
  std::vector<std::string> out;
  const std::size_t open = type.find('{');
  const std::size_t close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return out;
  std::string word;
  for (const char c : type.substr(open + 1, close - open - 1) + ",") {
    if (c != ',') {
      word += c;
      continue;
    }
    if (!word.empty()) out.push_back(word);
    word.clear();
  }
  return out;
}

Offer offer_of(const OptionFacts& facts, const std::string& type, const std::string& name) {
  if (!facts.words.empty()) return Offer::words;
  if (name == "--target") return Offer::targets;
  if (facts.names.empty() && type == "PATH") return Offer::paths;
  const bool is_file = type == "FILE" || type == "FILE:PATH" || name == "file" || type == "PATH";
  return is_file ? Offer::files : Offer::nothing;
}

OptionFacts facts_of(const CLI::Option& option) {
  OptionFacts out;
  for (const std::string& name : option.get_snames())
    out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    out.names.push_back("--" + name);
  out.help = option.get_description();
  out.takes_value = option.get_items_expected_max() > 0;
  const std::string type = option.get_type_name();
  out.words = words_of(type);
  out.offer = offer_of(
      out, type,
      option.get_lnames().empty() ? option.get_name() : "--" + option.get_lnames().front());
  return out;
}

}  // namespace

std::vector<VerbFacts> verbs_of(const CLI::App& app) {
  std::vector<VerbFacts> out;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb->get_group().empty()) continue;
    VerbFacts facts{verb->get_name(), verb->get_description(), {}};
    for (const CLI::Option* option : verb->get_options())
      facts.options.push_back(facts_of(*option));
    // What has commands of its own, such as `audit`, is completed by their names.
    OptionFacts inner{.help = "command", .offer = Offer::words};
    for (const CLI::App* command : verb->get_subcommands([](const CLI::App*) { return true; }))
      inner.words.push_back(command->get_name());
    if (!inner.words.empty()) facts.options.push_back(std::move(inner));
    out.push_back(std::move(facts));
  }
  return out;
}

std::string join(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : between) + word;
  return out;
}

// In single quotes for any of the shells.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace completion

std::string completion_script(const CLI::App& app, const std::string& shell) {
  const std::vector<completion::VerbFacts> verbs = completion::verbs_of(app);
  if (shell == "bash") return completion::bash_script(verbs);
  if (shell == "zsh") return completion::zsh_script(verbs);
  if (shell == "fish") return completion::fish_script(verbs);
  return "";
}

}  // namespace espalier::cli
