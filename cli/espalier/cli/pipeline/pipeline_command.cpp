#include "espalier/cli/pipeline/pipeline_command.hpp"

#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/pipeline/declare/declared_pipeline.hpp"

#include <algorithm>
#include <iostream>
#include <iterator>

namespace espalier::cli {
namespace pl = espalier::pipeline;
namespace {

expected<pl::DeclaredPipeline, pl::PipelineProblems> load(const std::string& file) {
  if (file != "-") return pl::load_pipeline_file(file, {});
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  return pl::load_pipeline_text(text, "<stdin>", {});
}

void list_stages(const pl::DeclaredPipeline& declared, std::ostream& out) {
  const auto& nodes = declared.plan.nodes;
  std::size_t width = 0;
  for (const auto& node : nodes)
    width = std::max(width, node.name.size());
  for (const auto& node : nodes) {
    out << "  " << node.name << std::string(width - node.name.size(), ' ') << "  "
        << node.options.workers << (node.options.workers == 1 ? " worker" : " workers") << " ->";
    for (const auto next : node.next)
      out << " " << (next == pl::output_node ? "output" : nodes[next].name);
    out << "\n";
  }
}

int check(const std::string& file, bool as_dot, const Streams& streams) {
  const auto declared = load(file);
  if (!declared) {
    streams.err << render_problems(declared.error());
    return exit_config_invalid;
  }
  if (as_dot) {
    streams.out << pl::to_dot(declared->plan);
    return exit_done;
  }
  list_stages(*declared, streams.out);
  const auto count = declared->plan.nodes.size();
  streams.out << (file == "-" ? "<stdin>" : file) << ": fine, " << count
              << (count == 1 ? " stage\n" : " stages\n");
  return exit_done;
}

void add_run(CLI::App& pipeline, PipelineRunOptions& options) {
  CLI::App* const run = pipeline.add_subcommand(
      "run", "Send items through a pipeline: a JSON value a line in, a result a line out");
  run->add_option("file", options.file, "Pipeline file (YAML)")->required();
  run->add_option("--input", options.input, "Read items from this file; - is standard input")
      ->each([&options](const std::string&) { options.input_given = true; })
      ->type_name("PATH");
  run->add_option("--dead-letters", options.dead_letters,
                  "Add failed items to this file, with the reason")
      ->type_name("PATH");
  run->add_option("--replay", options.replay,
                  "Run the items of a dead-letter file again, from the stage where each failed")
      ->type_name("PATH");
  run->add_option("--checkpoint", options.checkpoint,
                  "Keep unfinished items in this database, for --resume")
      ->type_name("PATH");
  run->add_flag("--resume", options.resume, "First go on with what the checkpoint holds");
  run->add_option("--progress", options.progress,
                  "What is shown on standard error; auto: progress on a terminal")
      ->check(CLI::IsMember({"auto", "progress", "compact", "detailed", "full", "json", "none"}));
}

}  // namespace

void add_pipeline(CLI::App& app, PipelineWords& words) {
  CLI::App* const pipeline =
      app.add_subcommand("pipeline", "Run items through stages that a file describes");
  pipeline->require_subcommand(1);
  add_run(*pipeline, words.run);
  using Verb = PipelineWords::Verb;
  const auto add = [&](const char* name, const char* help, Verb verb) {
    CLI::App* const command = pipeline->add_subcommand(name, help);
    command->callback([&words, verb] { words.verb = verb; });
    return command;
  };
  const auto add_file_command = [&](const char* name, const char* help, Verb verb) {
    add(name, help, verb)
        ->add_option("file", words.run.file, "Pipeline file (YAML); - reads standard input")
        ->required();
  };
  add_file_command("check", "Check a pipeline file and that its commands are there", Verb::check);
  add_file_command("dot", "Print the picture of a pipeline in the DOT language", Verb::dot);
  add("template", "Print a commented pipeline file with every field", Verb::print_template);
  add("schema", "Print the JSON Schema of pipeline files", Verb::schema);
}

int pipeline_command(const PipelineWords& words, const Streams& streams) {
  switch (words.verb) {
    case PipelineWords::Verb::run:
      return pipeline_run(words.run);
    case PipelineWords::Verb::check:
      return check(words.run.file, false, streams);
    case PipelineWords::Verb::dot:
      return check(words.run.file, true, streams);
    case PipelineWords::Verb::print_template:
      streams.out << pl::render_pipeline_template();
      return exit_done;
    case PipelineWords::Verb::schema:
      streams.out << pl::render_pipeline_schema();
      return exit_done;
  }
  return exit_usage;
}

}  // namespace espalier::cli
