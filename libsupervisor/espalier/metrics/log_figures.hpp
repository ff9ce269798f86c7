#pragma once

#include "espalier/metrics/writer.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

namespace espalier::metrics {

/// How the log fares. Any thread, if `ask` may be called on any. Cost: two numbers.
class LogFigures final : public Source {
 public:
  struct Counts {
    std::uint64_t lost = 0;      ///< Could not be written; see LogOutput::lost_lines.
    std::uint64_t left_out = 0;  ///< Came too often; see LogSink::left_out_lines.
  };
  explicit LogFigures(std::function<Counts()> ask) : ask_(std::move(ask)) {}
  void write(Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const Family> families();

 private:
  std::function<Counts()> ask_;
};

}  // namespace espalier::metrics
