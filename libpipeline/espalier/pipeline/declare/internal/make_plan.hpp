#pragma once

#include "espalier/pipeline/declare/declared_pipeline.hpp"

namespace espalier::pipeline::internal {

/// Precondition: the loader has found no problem in `spec`.
[[nodiscard]] Plan make_plan(const PipelineSpec& spec, const JsonTasks& tasks);

}  // namespace espalier::pipeline::internal
