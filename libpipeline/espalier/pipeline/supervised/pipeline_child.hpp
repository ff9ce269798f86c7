#pragma once

#include "espalier/pipeline/build/any_pipeline.hpp"
#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/core/pipeline_work.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace espalier::pipeline {

/// When a pipeline that is a child has done its work.
enum class Ends : std::uint8_t {
  with_its_sources,  ///< When they are at their end and all items have ended: `completed`.
  when_stopped,      ///< Only when the supervisor stops it: a service that others feed.
};

/// Makes the pipeline of one attempt and gives it its sources (`start`, then `feed_async`). Called
/// on the child's own thread; what it throws fails the child. The pipeline must not keep results
/// (PipelineOptions), since a child has nobody to take them: its last stage is a sink.
using MakePipeline = std::function<AnyPipeline(supervisor::ChildContext&)>;

/// A pipeline as a child of a supervisor, kind `pipeline`: for ChildFactories::add_pipeline.
///
/// Ready once it is started. A stop closes its input and lets what is in flight end; an abort lets
/// only the tasks in work return. A source that throws fails the child, with that error; items that
/// fail do not. Each attempt begins with a new pipeline.
///
/// While it runs it stands on `board`, if one is given, under the path of the child.
[[nodiscard]] supervisor::PipelineFactory as_child(MakePipeline make, Ends ends,
                                                   std::shared_ptr<PipelineBoard> board = {});

}  // namespace espalier::pipeline
