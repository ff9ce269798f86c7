#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/internal/command_kernel.hpp"
#include "espalier/pipeline/declare/internal/fields.hpp"
#include "espalier/pipeline/declare/internal/make_plan.hpp"
#include "espalier/pipeline/declare/internal/stage_check.hpp"
#include "espalier/supervisor/os/read_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>

namespace espalier::pipeline {

using supervisor::ConfigProblem;
using supervisor::internal::at;
using supervisor::internal::file_problem;
using supervisor::internal::LoadContext;
using supervisor::internal::Node;
using supervisor::internal::Reader;
using supervisor::internal::value_of;

namespace {

using Result = expected<DeclaredPipeline, PipelineProblems>;

Result refuse(const std::string& path, const std::string& message) {
  return unexpected<PipelineProblems>(PipelineProblems{{{path, 0, 0}, "", message}});
}

PipelineSpec read_spec(LoadContext& context, const Node& root) {
  PipelineSpec spec;
  supervisor::internal::Sources sources;
  Reader top(context, &root, {}, sources);
  top.group({"pipeline", {}}, "",
            [&](supervisor::internal::FieldVisitor& v) { internal::describe_pipeline(v, spec); });
  top.finish();
  return spec;
}

void check_spec(LoadContext& context, const Node& pipeline, const PipelineSpec& spec,
                const DeclareOptions& options) {
  if (spec.checkpoint && spec.checkpoint->path.empty())
    file_problem(context, pipeline, "pipeline", {{"checkpoint"}, "needs path: and a file", true});
  const auto* stages = value_of(pipeline, "stages");
  if (stages == nullptr || stages->items.empty()) {
    file_problem(context, pipeline, "pipeline",
                 {{"stages"}, "a pipeline needs stages: and at least one of them", true});
    return;
  }
  if (stages->items.size() == spec.stages.size())
    internal::check_stages(context, *stages, spec, options.tasks);
}

void check_reached(LoadContext& context, const Node& stages, const Plan& plan) {
  for (std::size_t i = 1; i < plan.nodes.size(); ++i) {
    const bool is_reached =
        std::any_of(plan.nodes.begin(), plan.nodes.end(), [i](const NodePlan& node) {
          return std::find(node.next.begin(), node.next.end(), i) != node.next.end();
        });
    if (is_reached) continue;
    context.fail(stages.items[i].position, at("pipeline.stages", i),
                 "no stage leads here; name it as the next: of one, or remove it");
  }
}

/// What only shows when all stages are read and in order by themselves.
void check_whole(LoadContext& context, const Node& pipeline, const PipelineSpec& spec,
                 const Plan& plan, const DeclareOptions& options) {
  const auto* stages = value_of(pipeline, "stages");
  for (const auto& error : check(plan)) {
    const auto found =
        std::find_if(spec.stages.begin(), spec.stages.end(),
                     [&](const StageSpec& stage) { return stage.name == error.stage; });
    const auto index = static_cast<std::size_t>(found - spec.stages.begin());
    if (found == spec.stages.end()) {
      context.fail(pipeline.position, "pipeline", error.message);
    } else {
      context.fail(stages->items[index].position, at("pipeline.stages", index), error.message);
    }
  }
  check_reached(context, *stages, plan);
  for (std::size_t i = 0; options.find_programs && i < spec.stages.size(); ++i) {
    if (spec.stages[i].process.command.empty()) continue;
    const auto problem = internal::command_problem(spec.stages[i]);
    if (problem.empty()) continue;
    file_problem(context, stages->items[i], at("pipeline.stages", i), {{"command"}, problem});
  }
}

void sort_by_position(PipelineProblems& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.position.line, a.position.column) <
           std::tie(b.position.line, b.position.column);
  });
}

}  // namespace

Result load_pipeline_text(const std::string& text, const std::string& file_name,
                          const DeclareOptions& options) {
  PipelineProblems problems;
  PipelineProblems warnings;
  std::vector<supervisor::EffectiveField> fields;
  const auto root = supervisor::internal::read_yaml(text, file_name, problems);
  if (!root) return unexpected<PipelineProblems>(std::move(problems));
  const auto* pipeline = value_of(*root, "pipeline");
  if (pipeline == nullptr && value_of(*root, "children") != nullptr)
    return refuse(file_name, "is a tree file, no pipeline; espalier run takes it");
  if (pipeline == nullptr || pipeline->kind != Node::Kind::map)
    return refuse(file_name, "expected a map with the key pipeline, and in it name: and stages:");
  LoadContext context{options.environment, problems, warnings, fields};
  DeclaredPipeline declared;
  declared.spec = read_spec(context, *root);
  check_spec(context, *pipeline, declared.spec, options);
  if (problems.empty()) {
    declared.plan = internal::make_plan(declared.spec, options.tasks);
    check_whole(context, *pipeline, declared.spec, declared.plan, options);
  }
  if (problems.empty()) return declared;
  sort_by_position(problems);
  return unexpected<PipelineProblems>(std::move(problems));
}

Result load_pipeline_file(const std::string& path, const DeclareOptions& options) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!std::filesystem::exists(status)) return refuse(path, "no such file; check the path");
  if (std::filesystem::is_directory(status))
    return refuse(path, "is a folder; name the file in it");
  const auto text = supervisor::read_file(path, supervisor::internal::size_limit);
  if (!text && text.error() == EACCES) return refuse(path, "cannot be read; check its permissions");
  if (!text)
    return refuse(path, "reading it failed: " + std::generic_category().message(text.error()));
  return load_pipeline_text(*text, path, options);
}

}  // namespace espalier::pipeline
