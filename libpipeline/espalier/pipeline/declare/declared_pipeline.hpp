#pragma once

#include "espalier/pipeline/core/plan.hpp"
#include "espalier/pipeline/declare/pipeline_spec.hpp"
#include "espalier/supervisor/config/tree_config.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// Pipelines for people who write no C++: a YAML file says which stages there are, each a command
/// that gets items as JSON and answers with JSON, a task the program registered under a name, or
/// one of the shapes (filter, split, batch and so on).
///
/// Loading is all or nothing: every problem of the file with its line and column, or a plan that
/// `check` has no objection to. Thread-safe; nothing is started by it.

/// A task of the program. Called on several threads at once; what it throws is the item's failure.
/// `params` are those of the stage.
using TaskParams = std::map<std::string, std::string>;
using JsonTask = std::function<Json(const Json& item, const TaskParams& params, RunContext&)>;
using JsonTasks = std::map<std::string, JsonTask>;

struct DeclareOptions {
  supervisor::Environment environment = supervisor::process_environment();
  JsonTasks tasks = {};
  bool find_programs = true;  ///< A command that is not on this machine is a problem.
};

struct DeclaredPipeline {
  PipelineSpec spec = {};
  /// Its items hold a Json. Kernels that keep processes end them when the last plan with them goes.
  Plan plan = {};
};

using PipelineProblems = std::vector<supervisor::ConfigProblem>;

[[nodiscard]] expected<DeclaredPipeline, PipelineProblems> load_pipeline_text(
    const std::string& text, const std::string& file_name, const DeclareOptions& options);
[[nodiscard]] expected<DeclaredPipeline, PipelineProblems> load_pipeline_file(
    const std::string& path, const DeclareOptions& options);

/// JSON Schema (draft 2020-12) of a pipeline file.
[[nodiscard]] std::string render_pipeline_schema();
/// A commented file with every field, its default, unit, range and meaning. It loads.
[[nodiscard]] std::string render_pipeline_template();

}  // namespace espalier::pipeline
