#pragma once

#include "espalier/supervisor/core/child_context.hpp"

#include <functional>
#include <memory>

namespace espalier::supervisor {

/// What a child of kind `pipeline` runs: work that has threads of its own, can end in good order,
/// and can be cut short. libpipeline's `as_child` makes one of a pipeline.
///
/// Thread rule: `run` is called once, on a thread of its own; `drain` and `abort` come from the
/// supervisor, at any time from before `run` to after it, must not block and must not throw.
class PipelineWork {
 public:
  virtual ~PipelineWork() = default;
  /// Returns when all has ended (completed); throws as a blocking child does.
  virtual void run(ChildContext& context) = 0;
  /// Takes nothing more; `run` returns when what is in flight has ended.
  virtual void drain() = 0;
  /// `run` returns as soon as the tasks in work do.
  virtual void abort() = 0;
};

/// Makes the work of one attempt. Called by the supervisor, so it must be quick: what takes time
/// belongs into `run`.
using PipelineFactory = std::function<std::shared_ptr<PipelineWork>()>;

}  // namespace espalier::supervisor
