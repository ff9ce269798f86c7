#pragma once

#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/supervisor/config/internal/child_loader.hpp"

namespace espalier::pipeline::internal {

/// Files what contradicts itself in the stages, as near as possible to where it is written.
/// `list`: the node of `stages`, with as many items as `spec` has stages.
void check_stages(supervisor::internal::LoadContext& context,
                  const supervisor::internal::Node& list, const PipelineSpec& spec,
                  const JsonTasks& tasks);

}  // namespace espalier::pipeline::internal
