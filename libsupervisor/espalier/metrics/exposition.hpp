#pragma once

#include "espalier/metrics/writer.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <vector>

namespace espalier::metrics {

/// All figures of a program, for whoever asks: as the text that a Prometheus server reads, or as
/// objects of prometheus-cpp. A program with an exposer of its own registers this with it; a
/// program with metrics of its own adds them here.
///
/// Thread rule: `add` first, then `text` and `Collect` from any thread. Nothing is shared: two at
/// once do the work twice.
/// Cost: what the sources need and some 50 ns a series; `Collect` ten times that.
class Exposition final : public prometheus::Collectable {
 public:
  void add(std::shared_ptr<const Source> source) { sources_.push_back(std::move(source)); }
  void add(std::shared_ptr<const prometheus::Collectable> collectable) {
    collectables_.push_back(std::move(collectable));
  }

  /// In the text format, version 0.0.4.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::vector<std::shared_ptr<const Source>> sources_ = {};
  std::vector<std::shared_ptr<const prometheus::Collectable>> collectables_ = {};
};

}  // namespace espalier::metrics
