#pragma once

#include "espalier/metrics/writer.hpp"
#include "espalier/supervisor/trace/trace_exporter.hpp"

#include <memory>
#include <span>
#include <utility>

namespace espalier::metrics {

/// What became of spans. Any thread; holds the exporter weakly. Cost: some numbers.
class SpanFigures final : public Source {
 public:
  explicit SpanFigures(std::weak_ptr<const supervisor::TraceExporter> exporter)
      : exporter_(std::move(exporter)) {}
  void write(Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const Family> families();

 private:
  std::weak_ptr<const supervisor::TraceExporter> exporter_;
};

}  // namespace espalier::metrics
