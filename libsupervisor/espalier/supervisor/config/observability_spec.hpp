#pragma once

#include "espalier/supervisor/core/journal_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace espalier::supervisor {

/// So many lines within a window, then silence until it is over. 0 lines: no limit.
struct LineRate {
  std::uint32_t lines = 0;
  Duration window = std::chrono::seconds{10};
  bool operator==(const LineRate&) const = default;
};

/// What goes to the log, and where.
struct LogSpec {
  std::string level = "info";       ///< debug, info, warning, error.
  std::string format = "auto";      ///< auto (text on a terminal, else json), text, json, journald.
  std::string file = {};            ///< Appended to, opened anew on SIGHUP; empty: standard error.
  LineRate event_rate = {200};      ///< Of one type of event at one path.
  LineRate output_rate = {10'000};  ///< Of what one child writes.
  bool operator==(const LogSpec&) const = default;
};

/// Where a Prometheus server may look.
struct MetricsSpec {
  /// "127.0.0.1:9464", "[::1]:9464", "unix:/run/espalier/shop-metrics.sock"; empty: nowhere.
  std::string listen = {};
  /// Children with series of their own; what more there are is summed up at their supervisor.
  std::size_t max_children = 10'000;
  bool operator==(const MetricsSpec&) const = default;
};

/// Where spans go, as lines or requests of OTLP in JSON.
struct TraceSpec {
  std::string file = {};
  std::size_t file_max_bytes = 64UL << 20U;  ///< Then it becomes FILE.1 and a new one is begun.
  std::string endpoint = {};                 ///< "http://127.0.0.1:4318/v1/traces"; empty: none.
  std::size_t capacity = 4096;  ///< Spans that wait for a collector; more are lost and counted.
  bool operator==(const TraceSpec&) const = default;
};

/// The `observability` section.
struct ObservabilitySpec {
  std::size_t journal_capacity = 4096;  ///< Events kept in memory.
  JournalSpec journal = {};             ///< Events kept on disk.
  LogSpec logs = {};
  MetricsSpec metrics = {};
  TraceSpec traces = {};
  bool operator==(const ObservabilitySpec&) const = default;
};

}  // namespace espalier::supervisor
