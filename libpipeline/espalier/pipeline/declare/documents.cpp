#include "espalier/supervisor/config/internal/documents.hpp"

#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/internal/fields.hpp"

namespace espalier::pipeline {

using supervisor::internal::FieldVisitor;

std::string render_pipeline_schema() {
  PipelineSpec spec;
  return supervisor::internal::render_schema_of(
      "Espalier pipeline file",
      {"pipeline", "Items that go through stages, each a command, a task or a shape."},
      [&](FieldVisitor& v) { internal::describe_pipeline(v, spec); });
}

std::string render_pipeline_template() {
  using supervisor::internal::render_commented;
  PipelineSpec spec;
  StageSpec stage;
  stage.name = "example";
  stage.process.command = {"cat"};
  return "# Every setting of a pipeline file with its default. Generated; copy what you need.\n"
         "# ${VAR} and ${VAR:-default} in values come from the environment; $${ is a literal ${.\n"
         "# A duration can also be given in milliseconds: timeout_ms: 5000.\n"
         "pipeline:\n" +
         render_commented("  ", [&](FieldVisitor& v) { internal::describe_settings(v, spec); }) +
         "  # What is done with the items, from the first stage to the last.\n"
         "  stages:\n"
         "    -\n" +
         render_commented("      ", [&](FieldVisitor& v) { internal::describe_stage(v, stage); });
}

}  // namespace espalier::pipeline
