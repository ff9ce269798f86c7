#pragma once

/// What a program needs to show its tree to a Prometheus server: sources of figures, their text,
/// and a listener. Brings in prometheus-cpp's core; figures of pipelines are in
/// `espalier/pipeline/metrics/`, those of a socket in `espalier/ipc/metrics/`.

#include "espalier/metrics/exposition.hpp"
#include "espalier/metrics/health_pages.hpp"
#include "espalier/metrics/http_listener.hpp"
#include "espalier/metrics/journal_figures.hpp"
#include "espalier/metrics/process_figures.hpp"
#include "espalier/metrics/tree_counters.hpp"
#include "espalier/metrics/tree_gauges.hpp"
#include "espalier/metrics/writer.hpp"
