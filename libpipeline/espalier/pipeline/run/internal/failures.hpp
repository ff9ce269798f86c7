#pragma once

#include "espalier/pipeline/core/flow.hpp"

#include <exception>
#include <string>

namespace espalier::pipeline::internal {

/// Runs the kernel. Should it throw, against its contract, all items of the batch fail with that.
void run_kernel(const NodePlan& node, const Work& work, RunContext& context);

/// Every item of the batch fails with the exception that is being handled.
void fail_all(const NodePlan& node, Chunk& chunk);

/// The thread is ending in the middle of the batch. Items before `current` keep their verdict,
/// `current` fails, those behind it are run again; if the kernel did not say where it was (null),
/// all fail.
void fail_after_thread_end(const NodePlan& node, Chunk& chunk, const Item* current);

}  // namespace espalier::pipeline::internal
