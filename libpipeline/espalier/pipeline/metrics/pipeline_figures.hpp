#pragma once

#include "espalier/metrics/writer.hpp"
#include "espalier/pipeline/supervised/pipeline_board.hpp"

#include <memory>
#include <span>
#include <utility>

namespace espalier::pipeline {

/// The pipelines of a tree in a scrape: items by what became of them, and what each stage does. A
/// pipeline that is restarted begins again at 0, as Prometheus expects of a counter.
///
/// At most 200 pipelines have series of their own, in the order of their paths; the counts of the
/// rest are added up in path="(others)", and their stages are left out.
///
/// Thread rule: any thread. Cost: a snapshot of each pipeline.
class PipelineFigures final : public metrics::Source {
 public:
  explicit PipelineFigures(std::shared_ptr<const PipelineBoard> board) : board_(std::move(board)) {}
  void write(metrics::Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const metrics::Family> families();

 private:
  std::shared_ptr<const PipelineBoard> board_;
};

}  // namespace espalier::pipeline
