#pragma once

#include "espalier/ipc/core/service_figures.hpp"
#include "espalier/metrics/writer.hpp"

#include <memory>
#include <span>
#include <utility>

namespace espalier::ipc {

/// The socket of a tree in a scrape: who is connected, what was asked for and what came of it.
/// Given the figures of ServerOptions::figures. Any thread; cost: a look at each method.
class IpcFigures final : public metrics::Source {
 public:
  explicit IpcFigures(std::shared_ptr<const ServiceFigures> figures)
      : figures_(std::move(figures)) {}
  void write(metrics::Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const metrics::Family> families();

 private:
  std::shared_ptr<const ServiceFigures> figures_;
};

}  // namespace espalier::ipc
