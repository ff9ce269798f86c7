#pragma once

#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/core/child_factories.hpp"

#include <memory>

namespace espalier::cli {

/// Children for demonstrations and tests that need no program of one's own. All take `params`;
/// a parameter that is unknown or makes no sense is a ChildFailure of category fatal_config.
///
///   builtin.idle        does nothing until it is stopped
///   builtin.ticker      `interval` (1s), `text` (tick): tells its status at every tick
///   builtin.flaky       fails `after` a fixed time, or after a random one around `mean` (10s)
///                       drawn from `seed` (1) and its attempt; `category` (recoverable; panic
///                       throws a foreign exception), `message`, `status`
///   builtin.stubborn    ignores a stop `for` that long (forever)
///   builtin.slow_start  is ready after `delay` (2s), then idle
///   builtin.crash       `after` some time (0s) does what `how` says: segfault, stack_overflow,
///                       abort, loop, allocate (without end: set a memory limit) or exit (code 7).
///                       Only with `isolation: process`, or it takes the supervisor with it
///
///   builtin.pipeline    (kind: pipeline) runs the items of `input`, a file with a line of JSON for
///                       each, through the pipeline of `file`; adds results to `output`, if given,
///                       and what failed to `dead_letters` (the one in `file`, if any)
///
/// `builtin.actor.idle`, `.ticker` and `.flaky` are the same as event-based actors,
/// `builtin.async.idle` and `.ticker` as coroutines.
/// Pipelines stand on `board` while they run, if one is given. `folder`: that of the tree file,
/// where the relative paths of builtin.pipeline begin; empty: the working directory.
[[nodiscard]] supervisor::ChildFactories builtin_factories(
    std::shared_ptr<pipeline::PipelineBoard> board = {}, const std::string& folder = {});

}  // namespace espalier::cli
