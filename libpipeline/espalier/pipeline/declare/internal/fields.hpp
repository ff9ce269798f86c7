#pragma once

#include "espalier/pipeline/declare/pipeline_spec.hpp"
#include "espalier/supervisor/config/internal/fields.hpp"

namespace espalier::pipeline::internal {

using supervisor::internal::FieldVisitor;

/// The only description of what a pipeline file may say: loader, schema and template walk it.
void describe_pipeline(FieldVisitor& v, PipelineSpec& spec);
/// Without the stages.
void describe_settings(FieldVisitor& v, PipelineSpec& spec);
void describe_stage(FieldVisitor& v, StageSpec& stage);

}  // namespace espalier::pipeline::internal
