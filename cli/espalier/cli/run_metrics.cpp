#include "espalier/cli/run_metrics.hpp"

#include "espalier/ipc/metrics/ipc_figures.hpp"
#include "espalier/metrics/exposition.hpp"
#include "espalier/metrics/health_pages.hpp"
#include "espalier/metrics/journal_figures.hpp"
#include "espalier/metrics/log_figures.hpp"
#include "espalier/metrics/process_figures.hpp"
#include "espalier/metrics/span_figures.hpp"
#include "espalier/metrics/tree_gauges.hpp"
#include "espalier/pipeline/metrics/pipeline_figures.hpp"

#include <string>
#include <utility>

namespace espalier::cli {

namespace sv = espalier::supervisor;

namespace {

constexpr const char* text_format = "text/plain; version=0.0.4; charset=utf-8";

std::string journal_obstacle(const std::weak_ptr<sv::JournalFile>& weak) {
  const auto journal = weak.lock();
  if (!journal || !journal->stats().failing) return {};
  return "the journal on disk cannot be written; the log says why";
}

}  // namespace

RunMetrics::RunMetrics(const sv::MetricsSpec& spec, sv::UniqueFd given, Tell tell)
    : spec_(spec), given_(std::move(given)), tell_(std::move(tell)) {
  if (spec_.listen.empty() && !given_) return;
  counters_ = std::make_shared<metrics::TreeCounters>(spec_.max_children);
  socket_ = std::make_shared<ipc::ServiceFigures>();
}

RunMetrics::~RunMetrics() = default;

void RunMetrics::count(Fan& fan, sv::SupervisorOptions& options) const {
  if (!counters_) return;
  fan.add(counters_);
  options.probes = counters_;
}

void RunMetrics::listen(const sv::SupervisorHandle& handle, Beside beside) {
  if (!counters_) return;
  auto all = std::make_shared<metrics::Exposition>();
  all->add(counters_);
  all->add(std::make_shared<metrics::TreeGauges>(handle, spec_.max_children));
  all->add(std::make_shared<metrics::JournalFigures>(beside.journal));
  all->add(std::make_shared<pipeline::PipelineFigures>(std::move(beside.pipelines)));
  all->add(std::make_shared<metrics::SpanFigures>(beside.traces));
  all->add(std::make_shared<metrics::LogFigures>([&log = beside.log] {
    return metrics::LogFigures::Counts{log.lost_lines(), log.left_out_lines()};
  }));
  all->add(std::make_shared<ipc::IpcFigures>(socket_));
  all->add(std::make_shared<metrics::ProcessFigures>(ESPALIER_VERSION, ESPALIER_COMPILER));
  auto health = std::make_shared<metrics::HealthPages>(
      handle, std::vector<metrics::HealthPages::Obstacle>{
                  [weak = std::weak_ptr{beside.journal}] { return journal_obstacle(weak); }});

  metrics::HttpListener::Options options;
  if (given_) {
    options.given = std::move(given_);
  } else if (auto address = sv::parse_listen_address(spec_.listen)) {
    options.address = std::move(*address);
  }
  options.pages = {{"/metrics",
                    [all] {
                      return metrics::Page{200, text_format, all->text()};
                    }},
                   {"/healthz", [health] { return health->alive(); }},
                   {"/readyz", [health] { return health->ready(); }}};
  auto started = metrics::HttpListener::start(std::move(options));
  if (!started) {
    tell_(sv::Severity::error,
          "no metrics: " + started.error() + " (observability.metrics.listen)");
    return;
  }
  listener_ = std::move(*started);
  tell_(sv::Severity::info, "metrics on " + listener_->url() + ", page /metrics");
}

}  // namespace espalier::cli
