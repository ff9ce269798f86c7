#pragma once

#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/core/pipeline_work.hpp"

#include <memory>
#include <string>

namespace espalier::cli {

/// What `builtin.pipeline` runs (see builtins.hpp). Relative paths in its `params` begin at
/// `folder`; empty: at the working directory.
[[nodiscard]] supervisor::PipelineFactory pipeline_builtin(
    std::shared_ptr<pipeline::PipelineBoard> board, const std::string& folder);

}  // namespace espalier::cli
