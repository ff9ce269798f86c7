#include "espalier/cli/remote/verbs.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/follow.hpp"
#include "espalier/cli/remote/interrupt.hpp"
#include "espalier/cli/remote/look.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/top/top_screen.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace espalier::cli {
namespace {

using Run = int (*)(const RemoteOptions&, const Terminal&);
using AddOptions = void (*)(CLI::App&, RemoteOptions&);

void nothing(CLI::App&, RemoteOptions&) {}

std::string problem_of_path(const std::string& path) {
  if (path.starts_with('/')) return {};
  return "'" + path + "' is no path: a path begins with /, like /" + (path.empty() ? "db" : path);
}

// Takes one word and no more: a vector would also take what stands after it.
CLI::Option* path_option(CLI::App& verb, RemoteOptions& options, const char* help) {
  return verb
      .add_option_function<std::string>(
          "path", [&options](const std::string& path) { options.paths = {path}; }, help)
      ->check(problem_of_path, "")
      ->type_name("PATH");
}

void one_path(CLI::App& verb, RemoteOptions& options) {
  path_option(verb, options, "Path of a child; left out: the whole tree");
}

void this_path(CLI::App& verb, RemoteOptions& options) {
  path_option(verb, options, "Path of a child")->required();
}

void change(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("--reason", options.reason, "Why; it stands in the audit")->type_name("TEXT");
  verb.add_flag("--dry-run", options.dry_run, "Only say what would be done");
  verb.add_flag("--yes,-y", options.yes, "Do not ask");
  verb.add_option("--command-id", options.command_id,
                  "The same again gets the first answer, and nothing runs twice")
      ->type_name("ID");
}

void fence(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("--expected-generation", options.expected_generation,
                  "Refused if the child is in another attempt by then")
      ->type_name("N");
}

void children(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("path", options.paths, "Paths; * within a name and ** across names")
      ->check(problem_of_path, "")
      ->type_name("PATH");
  verb.add_flag("--all", options.all, "All children of the tree");
  change(verb, options);
  fence(verb, options);
}

void reset_options(CLI::App& verb, RemoteOptions& options) {
  children(verb, options);
  verb.add_option(
          "--group", options.group,
          "Let the restarts of this held group go on; PATH is its supervisor, / if left out")
      ->type_name("NAME");
}

void tree_options(CLI::App& verb, RemoteOptions& options) {
  one_path(verb, options);
  verb.add_option("--depth", options.depth, "Levels below it; left out: all")->type_name("N");
}

void list_options(CLI::App& verb, RemoteOptions& options) {
  one_path(verb, options);
  verb.add_option("--sort", options.sort, "By what (default: path)")
      ->check(CLI::IsMember({"path", "restarts", "since", "state"}));
  verb.add_option("--filter", options.filter, "Only those of this phase, as tree and show call it")
      ->type_name("PHASE");
}

void scale_options(CLI::App& verb, RemoteOptions& options) {
  this_path(verb, options);
  verb.add_option("size", options.size, "How many instances: N, or +N or -N from now")
      ->type_name("N|+N|-N")
      ->required();
  change(verb, options);
}

void add_options(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("child", options.file, "File of the child, a colon, path of its supervisor")
      ->type_name("FILE:PATH")
      ->required();
  change(verb, options);
}

void apply_options(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("file", options.file, "Tree file (YAML); - reads standard input")
      ->type_name("FILE")
      ->required();
  change(verb, options);
}

void logs_options(CLI::App& verb, RemoteOptions& options) {
  one_path(verb, options);
  verb.add_flag("-f,--follow", options.follow, "Go on with new lines");
  verb.add_option("-n,--lines", options.lines, "So many of the last (default: 20)")->type_name("N");
  verb.add_option("--level", options.level, "Least level of the supervisor's own lines")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
}

void events_options(CLI::App& verb, RemoteOptions& options) {
  one_path(verb, options);
  verb.add_flag("-f,--follow", options.follow, "Go on with new events");
  auto* const since = verb.add_option("--since", options.since, "Only those after this sequence")
                          ->type_name("SEQUENCE");
  verb.add_option("-n,--replay", options.lines, "So many of the last (default: 20; with -f: 0)")
      ->type_name("N")
      ->excludes(since);
  verb.add_option("--type", options.types, "Only this type; several are allowed")
      ->type_name("TYPE");
  verb.add_option("--severity", options.severity, "Only these and worse")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
}

void wait_options(CLI::App& verb, RemoteOptions& options) {
  this_path(verb, options);
  verb.add_option("--for", options.until, "What to wait for")
      ->check(CLI::IsMember({"ready", "stopped", "removed"}))
      ->required();
}

void top_options(CLI::App& verb, RemoteOptions& options) {
  verb.add_flag("--readonly", options.read_only, "Only look: no key changes anything");
  verb.add_flag("--once", options.once, "Print one picture as text; needs no terminal");
}

void bundle_options(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("--to", options.to,
                  "File to write; - is standard output (default: espalier-TARGET-TIME.json)")
      ->type_name("FILE");
  verb.add_option("--config", options.file, "Tree file whose settings go in too, without secrets")
      ->type_name("FILE");
}

struct Verb {
  const char* name;
  const char* help;
  AddOptions add;
  Run run;
};

constexpr std::array verbs = {
    Verb{"status", "Tell on one screen how a running tree, or a child, fares", one_path,
         status_verb},
    Verb{"tree", "Draw a running tree", tree_options, tree_verb},
    Verb{"list", "List the children of a running tree", list_options, list_verb},
    Verb{"show", "Tell every fact about a child", this_path, show_verb},
    Verb{"why", "Tell why a child is as it is: rules, counters, causes", this_path, why_verb},
    Verb{"diagnose", "Look for what is wrong, worst first", nothing, diagnose_verb},
    Verb{"support-bundle", "Write what is known into one file, for whoever is asked for help",
         bundle_options, support_bundle_verb},
    Verb{"logs", "Show lines that children wrote", logs_options, logs_verb},
    Verb{"events", "Show what happened", events_options, events_verb},
    Verb{"top", "Watch and steer a running tree on a live screen", top_options, top_verb},
    Verb{"wait", "Wait until a child is ready, stopped or removed", wait_options, wait_verb},
    Verb{"start", "Start children that are stopped", children, start_verb},
    Verb{"stop", "Stop children until they are started", children, stop_verb},
    Verb{"restart", "Restart children", children, restart_verb},
    Verb{"pause", "Stop children and hold them until they are resumed", children, pause_verb},
    Verb{"resume", "Let paused or quarantined children go on", children, resume_verb},
    Verb{"quarantine", "Keep children from restarts until they are resumed", children,
         quarantine_verb},
    Verb{"reset", "Clear restart counters and back-off", reset_options, reset_verb},
    Verb{"scale", "Change the size of a pool", scale_options, scale_verb},
    Verb{"add", "Add a child to a running tree", add_options, add_verb},
    Verb{"remove", "Stop children and forget them", children, remove_verb},
    Verb{"apply", "Let a running tree follow a file", apply_options, apply_verb},
    Verb{"reload", "Let a running tree read its own file again", change, reload_verb},
    Verb{"shutdown", "Shut a running tree down", change, shutdown_verb},
    Verb{"snapshot", "Print the whole state of a running tree as JSON", one_path, snapshot_verb},
    Verb{"health", "Tell in one line how a running tree fares", nothing, health_verb},
    Verb{"pipelines", "Tell how the pipelines of a running tree fare", one_path, pipelines_verb},
    Verb{"ping", "Ask a running tree for a sign of life", nothing, ping_verb},
};

}  // namespace

void add_target_options(CLI::App& verb, RemoteOptions& options) {
  verb.add_option("--socket", options.socket,
                  "Socket of the target (ESPALIER_SOCKET); left out: the one that runs")
      ->type_name("FILE");
  verb.add_option("--target", options.target, "Name of the target, where several run")
      ->type_name("NAME");
  verb.add_option("--timeout", options.timeout, "How long to wait (default: 10s; wait: 30s)")
      ->type_name("DURATION");
  verb.add_option("-o,--output", options.output, "How to print it (default: text)")
      ->check(CLI::IsMember({"text", "json", "ndjson"}));
  verb.add_option("--color", options.color, "Use colours (default: auto)")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

void add_remote_verbs(CLI::App& app, RemoteOptions& options) {
  for (const Verb& verb : verbs) {
    CLI::App* const added = app.add_subcommand(verb.name, verb.help);
    added->group("On a running target");
    verb.add(*added, options);
    add_target_options(*added, options);
  }
  CLI::App* const targets = app.add_subcommand("targets", "List the sockets of running targets");
  targets->group("On a running target");
  targets->add_option("-o,--output", options.output, "How to print it (default: text)")
      ->check(CLI::IsMember({"text", "json", "ndjson"}));
  CLI::App* const paths = app.add_subcommand("__paths", "Paths of a running tree, for completion");
  paths->group("");
  paths->add_option("--socket", options.socket, "Socket of the target");
  paths->add_option("--target", options.target, "Name of the target");
}

std::optional<int> run_remote_verb(const std::string& name, const RemoteOptions& options,
                                   const Streams& streams) {
  const Terminal terminal = terminal_of(streams, options);
  if (name == "targets") return targets_verb(options, terminal);
  if (name == "__paths") return paths_verb(options, terminal);
  const auto found =
      std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return name == verb.name; });
  if (found == verbs.end()) return std::nullopt;
  const int code = found->run(options, terminal);
  streams.out.flush();
  if (streams.out.good() || code != exit_done || is_output_closed()) return code;
  return fail(terminal, exit_failed,
              name + ": standard output cannot be written; is the disk full?");
}

}  // namespace espalier::cli
