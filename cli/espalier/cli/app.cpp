#include "espalier/cli/app.hpp"

#include "espalier/cli/audit_command.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/journal_command.hpp"
#include "espalier/cli/pipeline/pipeline_command.hpp"
#include "espalier/cli/rehearsal/rehearsal_command.hpp"
#include "espalier/cli/remote/completion.hpp"
#include "espalier/cli/remote/look.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/remote/verbs.hpp"
#include "espalier/cli/run_command.hpp"
#include "espalier/ipc/wire/nearest.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace {

const char* const exit_code_help =
    "Exit codes: 0 done, 1 failed, 2 bad usage, 3 not all is well, 4 no permission or no\n"
    "such child, 6 configuration invalid, 7 not running, 8 refused, 9 some items failed,\n"
    "10 the tree gave up, 11 stopped but something could not be ended, 12 a checkpoint or\n"
    "dead letters cannot be written, 124 not in time, 130 interrupted.";

/// What the commands on files were told; those on a running target have RemoteOptions.
struct Words {
  AuditWords audit = {};
  JournalWords journal = {};
  RunOptions run = {};
  PipelineWords pipeline = {};
  RehearsalWords rehearsal = {};
  std::string file = {};
  std::string against = {};
  bool is_offline = false;
  bool json = false;
  bool of_target = false;
  bool advise = false;
};

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App* const run = app.add_subcommand("run", "Run a tree in the foreground");
  run->add_option("file", options.file, "Tree file (YAML); - reads standard input");
  // `run --socket tree.yaml`: the only word there is names the file.
  run->callback([&options] {
    if (!options.file.empty()) return;
    if (!options.socket || options.socket->empty()) throw CLI::RequiredError("file");
    options.file = std::exchange(*options.socket, {});
  });
  run->add_option("--events", options.events, "Write every event as a line of JSON; - is stdout")
      ->type_name("PATH");
  run->add_option("--log-format", options.log_format,
                  "Format of the log; default: as the file says")
      ->check(CLI::IsMember({"auto", "text", "json", "journald"}));
  run->add_option("--color", options.color, "Use colours (default: auto)")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  CLI::Option* const socket =
      run->add_option("--socket", options.socket,
                      "Listen for the other commands, where the file says or at =PATH")
          ->expected(0, 1)
          ->type_name("PATH");
  run->add_flag("--no-socket", options.no_socket, "Do not listen, whatever the file says")
      ->excludes(socket);
  run->add_option("--scheduler", options.scheduler,
                  "Who runs the actors: espalier (default), or sharing, which is CAF's")
      ->check(CLI::IsMember({"espalier", "sharing"}));
  run->add_flag("!--no-live", options.live, "Plain log lines even on a terminal");
}

void add_plan(CLI::App& app, Words& words, RemoteOptions& remote) {
  CLI::App* const plan =
      app.add_subcommand("plan", "Print what a reload of a tree file would do, in order");
  plan->add_option("file", remote.file, "Tree file (YAML); - reads standard input")->required();
  plan->add_option("--against", words.against,
                   "The tree file that runs now, '' for none; left out: the running target")
      ->each([&words](const std::string&) { words.is_offline = true; });
  add_target_options(*plan, remote);
}

void add_version(CLI::App& app, Words& words, RemoteOptions& remote) {
  CLI::App* const version = app.add_subcommand("version", "Print the version");
  version->add_flag("--json", words.json, "As JSON");
  version->add_flag("--remote", words.of_target, "Also that of the running target");
  add_target_options(*version, remote);
}

void add_all(CLI::App& app, Words& words, RemoteOptions& remote) {
  const auto add_file_command = [&](const char* name, const char* help) {
    CLI::App* const verb = app.add_subcommand(name, help);
    verb->add_option("file", words.file, "Tree file (YAML); - reads standard input")->required();
    return verb;
  };
  add_run(app, words.run);
  CLI::App* const check =
      add_file_command("check", "Check a tree file and what it needs of this machine");
  CLI::Option* const advise =
      check->add_flag("--advise", words.advise, "Also tell the worst case of the numbers chosen");
  check->add_option("-o,--output", remote.output, "How to print it (default: text)")
      ->check(CLI::IsMember({"text", "json"}))
      ->excludes(advise);
  add_file_command("config", "Print the effective configuration with the source of each value");
  add_plan(app, words, remote);
  app.add_subcommand("template", "Print a commented tree file with every field");
  app.add_subcommand("schema", "Print the JSON Schema of tree files");
  add_version(app, words, remote);
  app.add_subcommand("completion", "Print a completion script for a shell")
      ->add_option("shell", remote.shell, "Which shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  add_pipeline(app, words.pipeline);
  add_audit(app, words.audit, remote);
  add_journal(app, words.journal, remote);
  add_rehearsal(app, words.rehearsal);
  add_remote_verbs(app, remote);
}

int plan(const Words& words, const RemoteOptions& remote, const Streams& streams) {
  if (!words.is_offline && has_target(remote))
    return remote_plan_verb(remote, terminal_of(streams, remote));
  return plan_command(remote.file, words.against, remote.output != "text", streams);
}

std::string full_name(const CLI::App& app) {
  return (app.get_parent() == nullptr ? "" : full_name(*app.get_parent()) + " ") + app.get_name();
}

std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* const verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  return ipc::in_quotes(word) + " is no command" + ipc::did_you_mean(word, known) + "; " +
         full_name(app) + " --help lists them";
}

std::string unknown_word(const CLI::App& verb, const std::vector<std::string>& words) {
  const std::string help = "; " + full_name(verb) + " --help tells what it takes";
  const auto option = std::find_if(words.begin(), words.end(),
                                   [](const std::string& word) { return word.starts_with('-'); });
  if (option == words.end())
    return verb.get_name() + " does not take " + ipc::in_quotes(words.front()) + help;
  const std::string name = option->substr(0, option->find('='));
  std::vector<std::string> names;
  for (const CLI::Option* const known : verb.get_options()) {
    for (const std::string& each : known->get_lnames())
      names.push_back("--" + each);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return verb.get_name() + " has no option " + ipc::in_quotes(name) +
         ipc::did_you_mean(name, known) + help;
}

// Of words that nobody knows, the parser names the last first and gives no hint. Empty: it is about
// something else.
std::string problem_of_words(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty())
    at = at->get_subcommands().front();
  const auto words = at->remaining();
  if (words.empty() || error.get_exit_code() == 0) return "";
  if (at->get_require_subcommand_min() > 0) return unknown_command(*at, words.front());
  const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  return is_extra ? unknown_word(*at, words) : "";
}

int usage_error(const CLI::App& app, const CLI::ParseError& error, const Streams& streams) {
  const std::string problem = problem_of_words(app, error);
  if (problem.empty())
    return app.exit(error, streams.out, streams.err) == 0 ? exit_done : exit_usage;
  streams.err << "espalier: " << problem << "\n";
  return exit_usage;
}

}  // namespace

int run_app(const std::vector<std::string>& arguments, const Streams& streams) {
  CLI::App app{"Runs trees of supervised processes and workers, and steers them.", "espalier"};
  app.require_subcommand(1);
  app.footer(exit_code_help);
  app.set_version_flag("--version", "espalier " ESPALIER_VERSION);
  Words words;
  RemoteOptions remote;
  add_all(app, words, remote);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, streams);
  }
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "run") return run_command(words.run);
  if (name == "check" && remote.output == "json") return check_as_json(words.file, streams);
  if (name == "check") return check_command(words.file, words.advise, streams);
  if (name == "simulate")
    return simulate_command(words.rehearsal, terminal_of(streams, remote).width, streams);
  if (name == "what-if") return what_if_command(words.rehearsal, streams);
  if (name == "config") return config_command(words.file, streams);
  if (name == "pipeline") return pipeline_command(words.pipeline, streams);
  if (name == "audit") return audit_command(words.audit, remote, streams);
  if (name == "journal") return journal_command(words.journal, remote, streams);
  if (name == "plan") return plan(words, remote, streams);
  if (name == "version" && words.of_target)
    return remote_version_verb(remote, terminal_of(streams, remote));
  if (name == "version") return version_command(words.json || remote.output != "text", streams);
  if (const auto code = run_remote_verb(name, remote, streams)) return *code;
  streams.out << (name == "completion" ? completion_script(app, remote.shell)
                  : name == "template" ? supervisor::render_template()
                                       : supervisor::render_json_schema());
  return exit_done;
}

}  // namespace espalier::cli
