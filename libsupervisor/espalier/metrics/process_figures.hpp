#pragma once

#include "espalier/metrics/writer.hpp"

#include <span>
#include <string>
#include <utility>

namespace espalier::metrics {

/// This process as the kernel sees it, under the names that every Prometheus client library uses,
/// and which build of the program it is. A figure that cannot be read is left out.
///
/// Thread rule: any thread. Cost: three small files below /proc, some 50 us.
class ProcessFigures final : public Source {
 public:
  ProcessFigures(std::string version, std::string compiler)
      : version_(std::move(version)), compiler_(std::move(compiler)) {}
  void write(Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const Family> families();

 private:
  std::string version_;
  std::string compiler_;
};

}  // namespace espalier::metrics
