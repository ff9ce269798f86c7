#pragma once

#include "espalier/metrics/internal/child_table.hpp"
#include "espalier/metrics/internal/count_table.hpp"
#include "espalier/metrics/internal/figures.hpp"
#include "espalier/metrics/internal/shutdown_watch.hpp"
#include "espalier/metrics/writer.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <variant>

namespace espalier::metrics::internal {

/// All that TreeCounters counts, and how it is told. Thread-safe, as its parts are.
struct TreeFigures {
  static constexpr std::size_t event_types = std::variant_size_v<supervisor::EventBody>;

  explicit TreeFigures(std::size_t max_children) : children(max_children) {}
  void write(Writer& to);
  [[nodiscard]] static std::span<const Family> families();

  ChildTable children;
  ShutdownWatch shutdown = {};
  std::array<SharedCount, event_types> events = {};
  std::array<std::array<SharedCount, operations>, operations> transitions = {};  ///< From, to.
  SharedCount heartbeat_stale = {};
  SharedCount stale_reports = {};
  CountTable meltdowns = {};  ///< Of supervisors: path, child
  CountTable commands = {};   ///< command, result
  CountTable plans = {};      ///< path
  CountTable lag = {};        ///< path
  CountTable alerts = {};     ///< level

 private:
  void write_children(Writer& to);
  void write_shutdown(Writer& to) const;
  void write_totals(Writer& to) const;
  void write_commands(Writer& to) const;
};

}  // namespace espalier::metrics::internal
