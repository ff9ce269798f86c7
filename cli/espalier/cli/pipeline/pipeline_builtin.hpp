#pragma once

#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/core/pipeline_work.hpp"

#include <memory>

namespace espalier::cli {

/// What `builtin.pipeline` runs (see builtins.hpp).
[[nodiscard]] supervisor::PipelineFactory pipeline_builtin(
    std::shared_ptr<pipeline::PipelineBoard> board);

}  // namespace espalier::cli
