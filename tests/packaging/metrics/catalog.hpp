#pragma once

#include "espalier/ipc/metrics/ipc_figures.hpp"
#include "espalier/metrics/journal_figures.hpp"
#include "espalier/metrics/log_figures.hpp"
#include "espalier/metrics/process_figures.hpp"
#include "espalier/metrics/span_figures.hpp"
#include "espalier/metrics/tree_counters.hpp"
#include "espalier/metrics/tree_gauges.hpp"
#include "espalier/pipeline/metrics/pipeline_figures.hpp"

#include <map>
#include <span>
#include <string>

namespace espalier::metrics::testing {

/// Everything the program exposes, by name.
inline std::map<std::string, Family> catalog() {
  std::map<std::string, Family> all;
  for (const auto& families :
       {TreeCounters::families(), TreeGauges::families(), JournalFigures::families(),
        LogFigures::families(), SpanFigures::families(), ProcessFigures::families(),
        pipeline::PipelineFigures::families(), ipc::IpcFigures::families()}) {
    for (const auto& family : families)
      all.emplace(family.name, family);
  }
  return all;
}

}  // namespace espalier::metrics::testing
