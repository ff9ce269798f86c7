#pragma once

#include "espalier/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace espalier::cli {

/// What `espalier pipeline run` was asked for.
struct PipelineRunOptions {
  std::string file = {};
  std::string input = "-";  ///< Items, one JSON value a line.
  bool input_given = false;
  std::string dead_letters = {};  ///< Instead of what the file says.
  std::string checkpoint = {};    ///< Instead of what the file says.
  std::string replay = {};        ///< A dead-letter file, read instead of `input`.
  bool resume = false;
  std::string progress = "auto";
};

struct PipelineWords {
  enum class Verb { run, check, dot, print_template, schema };
  Verb verb = Verb::run;
  PipelineRunOptions run = {};
};

/// Adds `pipeline run|check|dot|template|schema`.
void add_pipeline(CLI::App& app, PipelineWords& words);
/// Answers with the exit status.
[[nodiscard]] int pipeline_command(const PipelineWords& words, const Streams& streams);

/// Runs on the real descriptors, and only in a program without other threads.
[[nodiscard]] int pipeline_run(const PipelineRunOptions& options);

}  // namespace espalier::cli
