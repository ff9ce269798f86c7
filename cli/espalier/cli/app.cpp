#include "espalier/cli/app.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/run_command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace espalier::cli {
namespace {

const char* const exit_code_help =
    "Exit codes: 0 done, 1 failed, 2 bad usage, 6 configuration invalid, 10 the tree gave up,\n"
    "11 stopped but something could not be ended, 130 interrupted by a second signal.";

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App* const run = app.add_subcommand("run", "Run a tree in the foreground");
  run->add_option("file", options.file, "Tree file (YAML); - reads standard input")->required();
  run->add_option("--events", options.events, "Write every event as a line of JSON; - is stdout")
      ->type_name("PATH");
  run->add_option("--log-format", options.log_format,
                  "Format of the log on standard error; default: as the file says")
      ->check(CLI::IsMember({"auto", "text", "json"}));
  run->add_option("--color", options.color, "Use colours (default: auto)")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  run->add_flag("!--no-live", options.live, "Plain log lines even on a terminal");
}

}  // namespace

int run_app(const std::vector<std::string>& arguments, const Streams& streams) {
  CLI::App app{"Runs trees of supervised processes and workers.", "espalier"};
  app.require_subcommand(1);
  app.footer(exit_code_help);

  RunOptions run_options;
  std::string file;
  bool json = false;
  const auto add_file_command = [&](const char* name, const char* help) {
    app.add_subcommand(name, help)
        ->add_option("file", file, "Tree file (YAML); - reads standard input")
        ->required();
  };
  add_run(app, run_options);
  add_file_command("check", "Check a tree file and what it needs of this machine");
  add_file_command("config", "Print the effective configuration with the source of each value");
  std::string against;
  std::string output = "text";
  CLI::App* const plan =
      app.add_subcommand("plan", "Print what a reload of a tree file would do, in order");
  plan->add_option("file", file, "Tree file (YAML); - reads standard input")->required();
  plan->add_option("--against", against, "The tree file that runs now; left out: nothing runs");
  plan->add_option("-o,--output", output, "How to print it (default: text)")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_subcommand("template", "Print a commented tree file with every field");
  app.add_subcommand("schema", "Print the JSON Schema of tree files");
  app.add_subcommand("version", "Print the version")->add_flag("--json", json, "As JSON");

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, streams.out, streams.err) == 0 ? exit_done : exit_usage;
  }
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "run") return run_command(run_options);
  if (name == "check") return check_command(file, streams);
  if (name == "config") return config_command(file, streams);
  if (name == "plan") return plan_command(file, against, output == "json", streams);
  if (name == "version") return version_command(json, streams);
  streams.out << (name == "template" ? supervisor::render_template()
                                     : supervisor::render_json_schema());
  return exit_done;
}

}  // namespace espalier::cli
